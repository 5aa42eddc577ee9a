package dev.parley.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.redis.RedisSubscription.Kind;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.Redis;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Where the probe of a node is. The node is not connected. */
class RedisNodeTest {

    private static final RedisProbe.Place FIRST = Setups.place(1);
    private static final RedisProbe.Place SECOND = Setups.place(2);

    private final Vertx vertx = Vertx.vertx();
    private final RedisNode node =
            new RedisNode(
                    "Redis",
                    "",
                    () -> Redis.createClient(vertx),
                    false,
                    connection -> Future.succeededFuture(),
                    "PUBLISH",
                    Setups.setup(vertx, RedisSettings.QUICK, new SimpleMeterRegistry()),
                    new Ignoring());

    @AfterEach
    void closeVertx() {
        node.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void probeThatMoves_leavesItsChannel_alsoIfItWasPutThereTwice() {
        node.probeAt(FIRST, Kind.CHANNEL);
        node.probeAt(FIRST, Kind.CHANNEL);
        assertThat(node.subscription().names()).containsExactly(FIRST.channel());

        node.probeAt(SECOND, Kind.CHANNEL);

        assertThat(node.subscription().names()).containsExactly(SECOND.channel());
    }

    private static final class Ignoring implements RedisNode.Events {

        @Override
        public void onMessage(String channel, Buffer payload) {}

        @Override
        public void onReady(RedisNode ready) {}

        @Override
        public void onLost(RedisNode at, Set<String> channels) {}

        @Override
        public boolean onProbeRedirected(RedisNode at) {
            return false;
        }
    }
}
