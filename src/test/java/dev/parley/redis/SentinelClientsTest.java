package dev.parley.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import io.vertx.redis.client.impl.types.BulkType;
import io.vertx.redis.client.impl.types.ErrorType;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** With which of three Sentinels an attempt to connect begins. */
class SentinelClientsTest {

    private final AtomicLong now = new AtomicLong();
    private final List<List<String>> orders = new ArrayList<>();
    private final Map<String, String> primaries = new HashMap<>();
    private Promise<RedisConnection> connection = Promise.promise();
    private int closed;

    private final SentinelClients clients =
            new SentinelClients(List.of("a", "b", "c"), this::client, this::ask, now::get);

    @ParameterizedTest
    @ValueSource(strings = {"role:master", "NOPERM"})
    void attemptThatFoundAPrimary_orMayNotAsk_leavesTheOrder(String answer) {
        Redis found = connect();
        connection.complete(serverThatSays(answer));
        found.close();

        clients.get();

        assertThat(orders).containsOnly(List.of("a", "b", "c"));
        assertThat(closed).isOne();
    }

    /** The Sentinel names a former primary, which is dead. */
    @Test
    void attemptThatFailed_isFollowedByOneThatBeginsWithTheNextSentinel() {
        Redis refused = connect();
        connection.fail("refused");
        refused.close();

        clients.get();

        assertThat(orders).containsExactly(List.of("a", "b", "c"), List.of("b", "c", "a"));
        assertThat(closed).isOne();
    }

    /** The Sentinel names a former primary, which follows the present one. */
    @Test
    void attemptThatLedToAReplica_fails_andTheNextBeginsWithTheNextSentinel() {
        Redis client = clients.get();
        Future<RedisConnection> connected = client.connect();

        connection.complete(serverThatSays("role:slave"));
        client.close();
        clients.get();

        assertThat(connected.failed()).isTrue();
        assertThat(orders).containsExactly(List.of("a", "b", "c"), List.of("b", "c", "a"));
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

    @Test
    void addressThatMostSentinelsName_counts_andClientsBeginWithTheFirstThatNamesIt() {
        primaries.putAll(Map.of("a", "old:1", "b", "new:1", "c", "new:1"));

        assertThat(clients.askAll().result()).hasValue("new:1");
        clients.get();
        now.addAndGet(SentinelClients.PASSED_OVER.toNanos());
        clients.get();

        assertThat(orders).containsExactly(List.of("b", "c", "a"), List.of("a", "b", "c"));
    }

    @Test
    void sentinelsThatDoNotAnswer_countAgainstEveryAddress() {
        primaries.put("b", "new:1");

        assertThat(clients.askAll().result()).isEmpty();
        clients.get();

        assertThat(orders).containsExactly(List.of("a", "b", "c"));
    }

    @Test
    void sentinelsThatDisagree_nameNoPrimary() {
        primaries.putAll(Map.of("a", "one:1", "b", "two:1", "c", "three:1"));

        assertThat(clients.askAll().result()).isEmpty();
    }

    private Future<String> ask(String sentinel) {
        String primary = primaries.get(sentinel);
        return primary == null ? Future.failedFuture("no answer") : Future.succeededFuture(primary);
    }

    private Redis connect() {
        Redis client = clients.get();
        client.connect();
        return client;
    }

    /** Returns a connection to a server that answers this when it is asked for its role. */
    private static RedisConnection serverThatSays(String answer) {
        Response info =
                BulkType.create(Buffer.buffer("# Replication\r\n" + answer + "\r\n"), false);
        return (RedisConnection)
                Proxy.newProxyInstance(
                        RedisConnection.class.getClassLoader(),
                        new Class<?>[] {RedisConnection.class},
                        (proxy, method, args) ->
                                answer.startsWith("role:")
                                        ? Future.succeededFuture(info)
                                        : Future.failedFuture(ErrorType.create(answer)));
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
