package dev.parley.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Redis;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a message proves that arrives on the probe's channel. The links are not connected. */
class RedisProbeMessagesTest {

    private final Vertx vertx = Vertx.vertx();
    private final RedisProbe probe = probe();

    @AfterEach
    void closeVertx() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void messageFromBeforeTheConnectionsWereMadeAnew_provesNothingOfThem() {
        long before = System.nanoTime() - 1;
        probe.onReady();

        probe.onMessage(Long.toString(before));

        assertThat(probe.problem()).contains("subscribed to Redis, but nothing received yet");
        probe.onMessage(Long.toString(System.nanoTime()));
        assertThat(probe.problem()).isEmpty();
    }

    /** Another program may publish there. */
    @Test
    void messageOfAnotherForm_provesNothing() {
        probe.onReady();

        probe.onMessage("hello");

        assertThat(probe.problem()).isPresent();
    }

    private RedisProbe probe() {
        var meters = new SimpleMeterRegistry();
        RedisSetup setup = Setups.setup(vertx, RedisSettings.QUICK, meters);
        RedisLink commandLink = link("command");
        RedisLink subscription = link("subscription");
        var loops = new LoopConnections("command", setup, commandLink, this::client, false);
        var commands =
                new RedisCommands(
                        vertx, commandLink, loops, subscription, RedisSettings.QUICK, meters);
        var watched =
                new RedisProbe.Watched(
                        commandLink,
                        subscription,
                        commands,
                        new RedisWrites("Redis"),
                        new EvictionWatch("Redis", commands, meters));
        return new RedisProbe(setup, "PUBLISH", watched, () -> false);
    }

    private RedisLink link(String name) {
        return new RedisLink(
                name,
                vertx,
                this::client,
                RedisSettings.QUICK,
                connection -> Future.succeededFuture(),
                () -> {});
    }

    private Redis client() {
        return Redis.createClient(vertx);
    }
}
