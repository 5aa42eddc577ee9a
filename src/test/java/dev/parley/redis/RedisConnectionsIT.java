package dev.parley.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.TcpProxy;
import dev.parley.testsupport.Timeouts;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.redis.client.Redis;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A pod's connections to a real Redis that dies, hangs, pauses or cuts them. */
class RedisConnectionsIT {

    private static final int LOOPS = 3;

    /** One for commands on each event loop, and one that is subscribed. */
    private static final int CONNECTIONS = LOOPS + 1;

    private static final Set<String> CHANNELS =
            Set.of("parley:{kitchen}:live", "parley:{garden}:live");

    @AutoClose private final RedisServer redis = RedisServer.start();
    @AutoClose private final TcpProxy proxy = TcpProxy.to(redis.port());
    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(LOOPS));
    private final MeterRegistry meters = new SimpleMeterRegistry();
    private ServerConnections connections;

    private void open(RedisConfig config) {
        String uri = proxy.uri("redis");
        connections =
                new ServerConnections(
                        "",
                        () -> Redis.createClient(vertx, uri),
                        connection -> Future.succeededFuture(),
                        Setups.setup(vertx, config, meters),
                        new Setups.Ignoring());
        connections.start();
        awaitUp();
    }

    @AfterEach
    void close() {
        connections.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void channelsThatAreAskedForWithoutRedis_areSubscribedToWhenItReturns_andNoOthers() {
        open(RedisSettings.QUICK);
        connections.subscribe("parley:{kitchen}:live");
        redis.kill();
        Timeouts.await("the end to be known").until(() -> connections.problem().isPresent());

        for (int i = 0; i < 1000; i++) {
            connections.subscribe("parley:{made-up-" + i + "}:live");
            connections.unsubscribe("parley:{made-up-" + i + "}:live");
        }
        Future<Void> garden = connections.subscribe("parley:{garden}:live");
        redis.restart();

        Timeouts.await("confirmation").until(garden::succeeded);
        assertThat(channels()).isEqualTo(CHANNELS);
        awaitUp();
    }

    /** What ends connections, or leaves them silent for a while. */
    enum Fault {
        END_OF_THE_SUBSCRIPTION,
        END_OF_ALL,
        SILENCE,
        RESET;

        void happen(RedisConnectionsIT test) {
            switch (this) {
                case END_OF_THE_SUBSCRIPTION ->
                        test.redis.command("CLIENT", "KILL", "TYPE", "pubsub");
                case END_OF_ALL -> {
                    test.redis.command("CLIENT", "KILL", "TYPE", "pubsub");
                    test.redis.command("CLIENT", "KILL", "TYPE", "normal");
                }
                case SILENCE -> {
                    int accepted = test.proxy.accepted();
                    test.proxy.blackHole();
                    Timeouts.await("attempts to connect anew")
                            .until(() -> test.proxy.accepted() > accepted + 1);
                    test.proxy.heal();
                }
                case RESET -> test.proxy.cut();
            }
        }

        int rounds() {
            return this == SILENCE ? 5 : 100;
        }
    }

    @ParameterizedTest
    @EnumSource
    void connectionsThatAreMadeAnewManyTimes_leaveNothingBehind(Fault fault) {
        Duration patience = fault == Fault.SILENCE ? Duration.ofSeconds(1) : Duration.ofMinutes(1);
        open(
                RedisSettings.QUICK
                        .withTimeout(Duration.ofSeconds(5))
                        .withProbeTimeout(patience)
                        // As many as wait in two silences: they count until their end.
                        .withMaxPending(20));
        CHANNELS.forEach(connections::subscribe);

        for (int round = 0; round < fault.rounds(); round++) {
            Set<String> former = clients();
            fault.happen(this);
            Timeouts.await("a new subscription, round " + round)
                    .until(
                            () ->
                                    clients().stream().anyMatch(id -> !former.contains(id))
                                            && channels().equals(CHANNELS));
        }

        awaitUp();
        Timeouts.await("as many connections as at first")
                .until(() -> clients().size() == CONNECTIONS);
        assertThat(subscriptions()).containsOnly(1L);
    }

    /** Redis holds back what it got meanwhile; after that every command is answered. */
    @Test
    void pausedRedis_isUsedAgain_whenItGoesOn() {
        open(
                RedisSettings.QUICK
                        .withTimeout(Duration.ofSeconds(1))
                        .withProbeTimeout(Duration.ofSeconds(2)));
        CHANNELS.forEach(connections::subscribe);

        // Before Redis 7, UNPAUSE has to wait like any other command.
        redis.command("CLIENT", "PAUSE", "12000");
        Timeouts.await("the pause to be noticed").until(() -> connections.problem().isPresent());

        awaitUp();
        Timeouts.await("as many connections as at first")
                .until(() -> clients().size() == CONNECTIONS);
        assertThat(channels()).isEqualTo(CHANNELS);
        assertThat(subscriptions()).containsOnly(1L);
    }

    /** A message that is received at once is not overdue when the next one is sent. */
    @Test
    void probesThatAreRarerThanTheirTimeout_keepTheConnections() {
        open(
                RedisSettings.QUICK
                        .withProbeInterval(Duration.ofSeconds(6))
                        .withProbeTimeout(Duration.ofSeconds(5)));
        Timeouts.await("all connections").until(() -> clients().size() == CONNECTIONS);
        Set<String> before = clients();
        long received = received();

        Timeouts.await("two further probes").until(() -> received() >= received + 2);

        assertThat(clients()).isEqualTo(before);
    }

    private void awaitUp() {
        Timeouts.await("messages to flow").until(() -> connections.problem().isEmpty());
    }

    private long received() {
        return meters.get("parley.redis.roundtrip").timer().count();
    }

    /** The channels of rooms that are subscribed to. */
    private Set<String> channels() {
        return redis.command("PUBSUB", "CHANNELS", "parley:{*").items().stream()
                .map(RedisServer.Reply::text)
                .collect(Collectors.toSet());
    }

    /** How many connections are subscribed to each of the channels. */
    private List<Long> subscriptions() {
        return CHANNELS.stream()
                .map(channel -> redis.command("PUBSUB", "NUMSUB", channel).items().get(1).number())
                .toList();
    }

    /** The ids of all connections but the one that asks. */
    private Set<String> clients() {
        return redis.command("CLIENT", "LIST")
                .text()
                .lines()
                .filter(line -> !line.contains(" cmd=client"))
                .map(line -> line.replaceFirst("id=(\\d+) .*", "$1"))
                .collect(Collectors.toSet());
    }
}
