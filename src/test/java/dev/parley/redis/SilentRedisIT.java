package dev.parley.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Timeouts;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.net.NetServer;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisClientType;
import io.vertx.redis.client.RedisOptions;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is at the address of Redis accepts connections, and never answers. */
class SilentRedisIT {

    private static final int MANY = 40;

    /** One for commands and one that is subscribed. */
    private static final int AT_A_TIME = 2;

    private final Vertx vertx = Vertx.vertx();
    private final AtomicInteger accepted = new AtomicInteger();
    private final AtomicInteger open = new AtomicInteger();
    private NetServer silent;

    @BeforeEach
    void listen() {
        silent =
                vertx.createNetServer()
                        .connectHandler(
                                connection -> {
                                    accepted.incrementAndGet();
                                    open.incrementAndGet();
                                    connection.closeHandler(closed -> open.decrementAndGet());
                                })
                        .listen(0, "127.0.0.1")
                        .toCompletionStage()
                        .toCompletableFuture()
                        .join();
    }

    @AfterEach
    void closeVertx() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    @ParameterizedTest
    @EnumSource(names = {"STANDALONE", "SENTINEL", "CLUSTER"})
    void attempts_areGivenUp_andTheirConnectionsClosed(RedisClientType type) {
        RedisConnections connections = connections(type);
        connections.start();

        Timeouts.await(MANY + " attempts").until(() -> accepted.get() >= MANY);

        assertThat(connections.problem()).isPresent();
        Timeouts.await("only the present attempts").until(() -> open.get() <= AT_A_TIME);
        connections.close();
        Timeouts.await("no connection").until(() -> open.get() == 0);
    }

    private RedisConnections connections(RedisClientType type) {
        var options =
                new RedisOptions()
                        .setType(type)
                        .setConnectionString("redis://127.0.0.1:" + silent.actualPort());
        RedisConfig impatient = RedisSettings.QUICK.withTimeout(Duration.ofMillis(50));
        RedisSetup setup = Setups.setup(vertx, impatient, new SimpleMeterRegistry());
        return type == RedisClientType.CLUSTER
                ? new ClusterConnections(
                        new ClusterClients(vertx, options), setup, new Setups.Ignoring())
                : new ServerConnections(
                        "",
                        () -> Redis.createClient(vertx, options),
                        connection -> Future.succeededFuture(),
                        setup,
                        new Setups.Ignoring());
    }
}
