package dev.parley.broker.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.BlockingBroker;
import dev.parley.broker.BrokerUnavailable;
import dev.parley.broker.Receipt;
import dev.parley.message.EventId;
import dev.parley.redis.RedisSettings;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.TcpProxy;
import dev.parley.testsupport.Timeouts;
import io.vertx.redis.client.RedisOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How a broker survives a Redis that cuts connections, hangs, or is no longer the primary. */
class RedisFaultsIT {

    @AutoClose private RedisServer redis;
    @AutoClose private TcpProxy proxy;

    private final RedisBrokers brokers = new RedisBrokers();

    @BeforeEach
    void startRedis() {
        redis = RedisServer.start();
        proxy = TcpProxy.to(redis.port());
    }

    @AfterEach
    void closeBrokers() {
        brokers.close();
    }

    @Test
    void cutConnections_areMadeAgain_andTheListenerIsResubscribed() {
        BlockingBroker broker = brokers.open(redis.uri());
        broker.publishText("a");

        redis.command("CLIENT", "KILL", "TYPE", "pubsub");
        redis.command("CLIENT", "KILL", "TYPE", "normal");

        broker.received().awaitResubscriptions(1);
        assertThat(publishOnceAvailable(broker).offset()).isEqualTo(2);
        broker.received().await(2);
    }

    @Test
    void calls_failInTime_andAreRefusedAboveALimit_whileRedisHangs() {
        BlockingBroker broker =
                brokers.open(
                        redis.uri(),
                        RedisSettings.QUICK
                                .withTimeout(Duration.ofMillis(200))
                                .withProbeTimeout(Duration.ofSeconds(2))
                                .withMaxPending(20));

        redis.pause();

        List<CompletableFuture<Receipt>> calls =
                IntStream.range(0, 50)
                        .mapToObj(i -> broker.publishing("a").subscribeAsCompletionStage())
                        .toList();
        assertThat(calls)
                .allSatisfy(
                        call ->
                                assertThat(call)
                                        .failsWithin(Timeouts.LIMIT)
                                        .withThrowableOfType(ExecutionException.class)
                                        .withCauseInstanceOf(BrokerUnavailable.class));
        assertThat(calls.stream().map(call -> call.handle((ok, failure) -> failure).join()))
                .filteredOn(failure -> failure.getMessage().startsWith("Redis is too far behind"))
                .hasSizeGreaterThanOrEqualTo(30);
        broker.awaitDown();

        redis.resume();

        broker.awaitUp();
        publishOnceAvailable(broker);
    }

    @Test
    void serverThatBecameAReplica_isLeftForTheNewPrimary() {
        try (RedisServer promoted = RedisServer.start()) {
            BlockingBroker broker = brokers.open(proxy.uri("redis"));
            EventId last = broker.publishNumbers(5);
            follow(promoted, redis);
            promoted.command("REPLICAOF", "NO", "ONE");

            proxy.retarget(promoted.port());
            follow(redis, promoted);

            EventId next = publishOnceAvailable(broker);
            assertThat(next.offset()).isEqualTo(6);
            assertThat(next.epoch()).as("another server counts").isNotEqualTo(last.epoch());
            assertThat(broker.readAfter(0, 10).continues(last)).as("nothing was lost").isTrue();
            publishUntilReceived(broker);
        }
    }

    @Test
    void serverThatNeverAnswersAgain_isLeftForItsReplacement() {
        try (RedisServer next = RedisServer.start()) {
            var options = new RedisOptions().setConnectionString(proxy.uri("redis"));
            options.getNetClientOptions().setReadIdleTimeout(1);
            BlockingBroker broker =
                    brokers.open(
                            options,
                            RedisSettings.QUICK
                                    .withTimeout(Duration.ofSeconds(5))
                                    .withProbeTimeout(Duration.ofSeconds(2)));

            redis.pause();
            broker.awaitDown();
            proxy.retarget(next.port());

            publishUntilReceived(broker);
            broker.awaitUp();
        }
    }

    /** Publishes as soon as the broker is available. */
    private static EventId publishOnceAvailable(BlockingBroker broker) {
        List<EventId> published = new ArrayList<>();
        Timeouts.await("publish")
                .ignoreExceptionsInstanceOf(BrokerUnavailable.class)
                .until(() -> published.add(broker.publishText("text")));
        return published.get(0);
    }

    /**
     * Publishes repeatedly until the broker receives one of these messages: publishing may work
     * again before the subscription does, and messages published meanwhile are not delivered.
     */
    private static void publishUntilReceived(BlockingBroker broker) {
        List<EventId> published = new ArrayList<>();
        Timeouts.await("a message that was published here")
                .until(
                        () -> {
                            published.add(publishOnceAvailable(broker));
                            return broker.received().all().stream()
                                    .anyMatch(m -> published.contains(m.id()));
                        });
    }

    /** Makes a server a replica of another one, and waits until it is a copy. */
    private static void follow(RedisServer replica, RedisServer primary) {
        replica.command("REPLICAOF", "127.0.0.1", Integer.toString(primary.port()));
        Timeouts.await("replica is a copy")
                .until(
                        () ->
                                replica.command("INFO", "replication")
                                        .text()
                                        .contains("master_link_status:up"));
    }
}
