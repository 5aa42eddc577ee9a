package dev.parley.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** With which of three Sentinels an attempt to connect begins. */
class SentinelClientsTest {

    private final AtomicLong now = new AtomicLong();
    private final List<List<String>> orders = new ArrayList<>();
    private Promise<RedisConnection> connection = Promise.promise();
    private int closed;

    private final SentinelClients clients =
            new SentinelClients(List.of("a", "b", "c"), this::client, now::get);

    @Test
    void attemptThatFoundAPrimary_orFailed_leavesTheOrder() {
        Redis found = connect();
        connection.complete();
        found.close();
        connection = Promise.promise();
        Redis refused = connect();
        connection.fail("refused");
        refused.close();

        clients.get();

        assertThat(orders).containsOnly(List.of("a", "b", "c"));
        assertThat(closed).isEqualTo(2);
    }

    @Test
    void attemptWithoutAnAnswer_isFollowedByOneThatBeginsWithTheNextSentinel() {
        connect().close();
        connect().close();
        connect().close();
        connect();

        assertThat(orders)
                .containsExactly(
                        List.of("a", "b", "c"),
                        List.of("b", "c", "a"),
                        List.of("c", "a", "b"),
                        List.of("a", "b", "c"));
    }

    @Test
    void attemptsAtTheSameTime_passOneSentinelOver() {
        Redis one = connect();
        Redis other = connect();
        one.close();
        other.close();

        clients.get();

        assertThat(orders).last().isEqualTo(List.of("b", "c", "a"));
    }

    @Test
    void clientThatIsClosedBeforeItConnects_leavesTheOrder() {
        clients.get().close();

        clients.get();

        assertThat(orders).last().isEqualTo(List.of("a", "b", "c"));
    }

    @Test
    void afterAMinute_theOrderIsTheConfiguredOne() {
        connect().close();
        now.addAndGet(SentinelClients.PASSED_OVER.toNanos() - 1);
        clients.get();
        now.addAndGet(1);

        clients.get();

        assertThat(orders)
                .containsExactly(
                        List.of("a", "b", "c"), List.of("b", "c", "a"), List.of("a", "b", "c"));
    }

    private Redis connect() {
        Redis client = clients.get();
        client.connect();
        return client;
    }

    private Redis client(List<String> order) {
        orders.add(List.copyOf(order));
        return new Redis() {

            @Override
            public Future<RedisConnection> connect() {
                return connection.future();
            }

            @Override
            public void close() {
                closed++;
            }

            @Override
            public Future<Response> send(Request command) {
                throw new UnsupportedOperationException();
            }

            @Override
            public Future<List<Response>> batch(List<Request> commands) {
                throw new UnsupportedOperationException();
            }
        };
    }
}
