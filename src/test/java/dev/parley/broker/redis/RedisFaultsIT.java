package dev.parley.broker.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.BlockingBroker;
import dev.parley.broker.Broker.Receipt;
import dev.parley.broker.BrokerUnavailable;
import dev.parley.message.EventId;
import dev.parley.redis.RedisSettings;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.TcpProxy;
import dev.parley.testsupport.Timeouts;
import io.vertx.redis.client.RedisClientType;
import io.vertx.redis.client.RedisOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/**
 * Redis cuts connections, hangs, or becomes a replica. The broker is down meanwhile, and connects
 * again, to the new primary if there is one.
 */
class RedisFaultsIT {

    @AutoClose private final RedisServer redis = RedisServer.start();
    @AutoClose private final TcpProxy proxy = TcpProxy.to(redis.port());
    @AutoClose private final RedisBrokers brokers = new RedisBrokers();

    @Test
    void cutConnections_areMadeAgain_andTheListenerLearnsIt() {
        BlockingBroker broker = brokers.open(redis.uri());
        broker.publishText("a");

        redis.command("CLIENT", "KILL", "TYPE", "pubsub");
        redis.command("CLIENT", "KILL", "TYPE", "normal");

        broker.received().awaitInterruptions(1);
        assertThat(publishOnceAccepted(broker).offset()).isEqualTo(2);
        broker.received().await(2);
    }

    @Test
    void calls_endInTime_andAreRefusedAboveALimit_whileRedisHangs() {
        BlockingBroker broker =
                brokers.open(
                        redis.uri(),
                        RedisSettings.QUICK
                                .withTimeout(Duration.ofSeconds(2))
                                .withProbeTimeout(Duration.ofHours(1))
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
        // The probe, whose own deadline does not pass here, has one or two of the twenty.
        List<String> reasons =
                calls.stream()
                        .map(call -> call.handle((ok, failure) -> failure.getMessage()).join())
                        .toList();
        assertThat(reasons)
                .filteredOn(reason -> reason.startsWith("Redis is too far behind"))
                .hasSizeBetween(30, 40);
        assertThat(reasons)
                .filteredOn(reason -> !reason.startsWith("Redis is too far behind"))
                .allMatch(reason -> reason.contains("200"));

        redis.resume();

        publishOnceAccepted(broker);
    }

    @Test
    void serverThatBecameAReplica_isLeftForTheNewOne() {
        BlockingBroker broker = brokers.open(proxy.uri("redis"));
        EventId last = broker.publishNumbers(5);

        try (RedisServer promoted = failOver()) {
            redis.follow(promoted);

            assertNextIsSix_andNothingWasLost(broker, last);
            publishUntilReceived(broker);
        }
    }

    @Test
    void subscriptionOnAFormerPrimary_isLeft_whenOnlyTheCommandsWentToTheNewOne() {
        BlockingBroker broker = brokers.open(proxy.uri("redis"));
        EventId last = broker.publishNumbers(5);

        try (RedisServer promoted = failOver()) {
            redis.command("CLIENT", "KILL", "TYPE", "normal");

            assertNextIsSix_andNothingWasLost(broker, last);
            publishUntilReceived(broker);
            assertThat(subscribers(promoted)).isEqualTo(1);
            assertThat(subscribers(redis)).isZero();
        }
    }

    @Test
    void commandsOnAFormerPrimary_areLeft_whenOnlyTheSubscriptionWentToTheNewOne() {
        BlockingBroker broker = brokers.open(proxy.uri("redis"));
        broker.publishNumbers(5);

        try (RedisServer promoted = failOver()) {
            redis.command("CLIENT", "KILL", "TYPE", "pubsub");

            publishUntilReceived(broker);
            assertThat(subscribers(promoted)).isEqualTo(1);
            assertThat(promoted.command("XLEN", "parley:{room}:log").number()).isGreaterThan(5);
        }
    }

    @Test
    void formerPrimary_thatBecameAReplicaOfTheNewOne_isLeftByBothConnections_withoutAnyPublish() {
        BlockingBroker broker = brokers.open(proxy.uri("redis"));
        broker.publishNumbers(5);

        try (RedisServer promoted = failOver()) {
            redis.follow(promoted);

            Timeouts.await("subscription to move").until(() -> subscribers(promoted) == 1);
            Timeouts.await("subscription to end").until(() -> subscribers(redis) == 0);
            broker.received().awaitInterruptions(2);
            broker.awaitUp();
            publishUntilReceived(broker);
        }
    }

    /** Promotes a replica of Redis, and leads new connections of the proxy to it. */
    private RedisServer failOver() {
        RedisServer promoted = RedisServer.builder().replicaOf(redis).start();
        promoted.promote();
        proxy.retarget(promoted.port());
        return promoted;
    }

    private static void assertNextIsSix_andNothingWasLost(BlockingBroker broker, EventId last) {
        assertThat(publishOnceAccepted(broker).offset()).isEqualTo(6);
        assertThat(broker.readAfter(0, 10).continues(last)).as("nothing was lost").isTrue();
    }

    @Test
    void commandConnectionThatCameBack_isAReasonToCompareTheRooms() {
        BlockingBroker broker = brokers.open(redis.uri());

        redis.command("CLIENT", "KILL", "TYPE", "normal");

        broker.received().awaitInterruptions(1);
        assertThat(subscribers(redis)).isEqualTo(1);
    }

    @Test
    void brokerIsUp_withoutWaitingForAnotherProbe_whicheverConnectionCameFirst() {
        var rare = RedisSettings.QUICK.withProbeInterval(Duration.ofHours(1));
        BlockingBroker broker = brokers.open(redis.uri(), rare);

        redis.command("CLIENT", "KILL", "TYPE", "pubsub");
        broker.received().awaitInterruptions(1);
        broker.awaitUp();

        redis.command("CLIENT", "KILL", "TYPE", "normal");
        broker.received().awaitInterruptions(2);
        broker.awaitUp();
    }

    @Test
    void cluster_whoseConnectionEnds_leavesNoSubscriptionBehind() {
        try (RedisServer cluster = RedisBrokerIT.clusterOfOne()) {
            var options =
                    new RedisOptions()
                            .setType(RedisClientType.CLUSTER)
                            .setConnectionString(cluster.uri());
            BlockingBroker broker = brokers.open(options, RedisSettings.QUICK);

            for (int i = 1; i <= 3; i++) {
                cluster.command("CLIENT", "KILL", "TYPE", "normal");
                broker.received().awaitInterruptions(2 * i - 1);
                cluster.command("CLIENT", "KILL", "TYPE", "pubsub");
                broker.received().awaitInterruptions(2 * i);
                broker.awaitUp();
            }

            Timeouts.await("one subscription").until(() -> subscribers(cluster) == 1);
            publishUntilReceived(broker);
            assertThat(subscribers(cluster)).isEqualTo(1);
        }
    }

    @Test
    void quietCluster_keepsItsConnections() {
        try (RedisServer cluster = RedisBrokerIT.clusterOfOne();
                var pod =
                        ParleyProcess.builder()
                                .redis(cluster.uri())
                                .config("quarkus.redis.client-type", "cluster")
                                .config("parley.redis.probe-interval", "100MS")
                                .config("parley.redis.probe-timeout", "2S")
                                .start()
                                .awaitReady()) {
            var metrics = new Metrics(pod);
            // Longer than the timeout by far: a connection that was closed for being idle is seen.
            Timeouts.await("probes")
                    .until(() -> metrics.value("parley_redis_roundtrip_seconds_count") >= 60);

            assertThat(subscribers(cluster)).isEqualTo(1);
            assertThat(pod.log().lines())
                    .filteredOn(line -> line.contains("connection is up"))
                    .hasSize(2);
        }
    }

    /** Connections that are subscribed to the plain channel, as every pod is. */
    private static long subscribers(RedisServer server) {
        return server.command("PUBSUB", "NUMSUB", "chat").items().get(1).number();
    }

    @Test
    void serverThatHangsForGood_isLeftForTheNewOne() {
        try (RedisServer next = RedisServer.start()) {
            BlockingBroker broker =
                    brokers.open(
                            proxy.uri("redis"),
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

    /** Publishes a message as soon as the broker accepts it. */
    private static EventId publishOnceAccepted(BlockingBroker broker) {
        return Timeouts.await("publish")
                .ignoreExceptionsInstanceOf(BrokerUnavailable.class)
                .until(() -> broker.publishText("accepted"), id -> true);
    }

    /**
     * Publishes messages until the broker receives one of them: publishing may work again before
     * the subscription does, and what is published in between is not delivered live.
     */
    private static void publishUntilReceived(BlockingBroker broker) {
        List<EventId> published = new ArrayList<>();
        Timeouts.await("an own message")
                .until(
                        () -> {
                            published.add(publishOnceAccepted(broker));
                            return broker.received().all().stream()
                                    .anyMatch(m -> published.contains(m.id()));
                        });
    }
}
