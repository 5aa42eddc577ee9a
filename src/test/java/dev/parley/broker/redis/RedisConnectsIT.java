package dev.parley.broker.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.BlockingBroker;
import dev.parley.broker.HistorySettings;
import dev.parley.broker.LostHistories;
import dev.parley.redis.RedisConfig;
import dev.parley.redis.RedisSettings;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.Ports;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.TcpProxy;
import dev.parley.testsupport.Timeouts;
import dev.parley.testsupport.TlsProxy;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The ways to a Redis that works: in any order, over TLS, and in a database beside others. */
class RedisConnectsIT {

    @AutoClose private RedisServer redis;
    @TempDir Path directory;

    private final RedisBrokers brokers = new RedisBrokers();

    @BeforeEach
    void startRedis() {
        redis = RedisServer.start();
    }

    @AfterEach
    void closeBrokers() {
        brokers.close();
    }

    /** The connection that fails at first is the later one. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void pod_isUpAsSoonAsBothConnectionsAre_whicheverCameLast(int failing) {
        RedisConfig rareProbe = RedisSettings.QUICK.withProbeInterval(Duration.ofHours(1));
        var free = new RedisOptions().setConnectionString("redis://127.0.0.1:" + Ports.free());
        var right = new RedisOptions().setConnectionString(redis.uri());
        var clients = new AtomicInteger();
        // On one event loop, so that there is no third connection.
        Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
        var meters = new SimpleMeterRegistry();
        try (var broker =
                new RedisBroker(
                        () ->
                                Redis.createClient(
                                        vertx, clients.getAndIncrement() == failing ? free : right),
                        new RedisBroker.Dependencies(
                                vertx,
                                rareProbe,
                                HistorySettings.DEFAULT.ofAllRooms(),
                                65_536,
                                new LostHistories(meters),
                                meters))) {
            broker.start();

            Timeouts.await("up without another tick of the probe")
                    .until(() -> broker.state().isUp());

            assertThat(clients).hasValue(3);
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }

    /**
     * The pod is stopped while it waits for a message of its probe, for longer than such a message
     * may take. The answer arrives soon after the pod goes on.
     */
    @Test
    void podThatWasStopped_keepsItsConnections() {
        var probe = new TcpProxy.Text(TcpProxy.Direction.TO_SERVER, "parley:probe:");
        try (var network = TcpProxy.to(redis.port());
                var pod =
                        ParleyProcess.builder()
                                .redis(network.uri("redis"))
                                .config("parley.redis.probe-interval", "100MS")
                                .config("parley.redis.probe-timeout", "3S")
                                .start()
                                .awaitReady()) {
            network.blackHole(TcpProxy.Direction.TO_CLIENT);
            network.trap(TcpProxy.Moment.AFTER, pod::pause, probe).join();
            Timeouts.await("six seconds without a command of the pod")
                    .until(() -> secondsWithoutACommand() >= 6);
            // The next message shows that the probe's timer has run once more.
            var timerRan = network.trap(TcpProxy.Moment.BEFORE, network::heal, probe);

            pod.resume();

            Timeouts.await("the next message of the probe")
                    .failFast(() -> assertKeepsItsConnections(pod))
                    .until(timerRan::isDone);
            var metrics = new Metrics(pod);
            double before = metrics.value("parley_redis_roundtrip_seconds_count");
            Timeouts.await("more messages of the probe")
                    .until(
                            () ->
                                    metrics.value("parley_redis_roundtrip_seconds_count")
                                            > before + 40);
            assertKeepsItsConnections(pod);
        }
    }

    private static void assertKeepsItsConnections(ParleyProcess pod) {
        assertThat(pod.log()).doesNotContain("Parley goes on trying");
    }

    /** Returns for how many seconds the pod has sent nothing on any connection. */
    private int secondsWithoutACommand() {
        return Pattern.compile(" idle=(\\d+) .* cmd=(?!client)")
                .matcher(redis.command("CLIENT", "LIST").text())
                .results()
                .mapToInt(client -> Integer.parseInt(client.group(1)))
                .min()
                .orElseThrow();
    }

    @Test
    void databases_separateKeys_notChannels() {
        BlockingBroker broker = brokers.open(redis.uri());
        BlockingBroker sameNames = brokers.open(redis.uri() + "/3");
        BlockingBroker otherNames =
                brokers.open(redis.uri() + "/3", RedisSettings.QUICK.withPrefix("other"));

        broker.publishText("said in database 0");

        assertThat(sameNames.received().await(1).get(0).message().text())
                .isEqualTo("said in database 0");
        assertThat(sameNames.readAfter(0, 10).messages()).isEmpty();
        otherNames.publishText("said under another prefix");
        assertThat(otherNames.received().await(1)).hasSize(1);
        assertThat(otherNames.received().all()).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({"localhost,", "localhost,HTTPS", "wrong.example,"})
    void certificateOfACaOfYourOwn_isTrusted_byTheDocumentedSettings(String name, String check) {
        try (var tls = TlsProxy.to(redis.port(), directory, name);
                var pod = tlsPod(tls, check).start().awaitReady();
                SseReader reader = SseReader.open(pod.uri("/events")).awaitLastEventId()) {

            new Http(pod.uri()).sendForm("over TLS");

            reader.awaitData("over TLS");
            assertThat(tls.handshakes()).as("both connections").isGreaterThanOrEqualTo(2);
        }
    }

    /** The settings of TLS are for all servers; the address says which of them use it. */
    @ParameterizedTest
    @CsvSource({"NORTH,SOUTH", "SOUTH,NORTH"})
    void severalServers_areReachedEachByItsAddress_overTlsOrNot(String encrypted, String plain) {
        try (var other =
                        RedisServer.builder()
                                .config("requirepass pass")
                                .login("default", "pass")
                                .start();
                var tls = TlsProxy.to(redis.port(), directory, "localhost");
                var pod =
                        ParleyProcess.builder()
                                .environment("QUARKUS_REDIS_TLS_TRUST_CERTIFICATE_PEM", "true")
                                .environment(
                                        "QUARKUS_REDIS_TLS_TRUST_CERTIFICATE_PEM_CERTS",
                                        tls.certificate().toString())
                                .environment(
                                        "PARLEY_REDIS_SERVERS_" + encrypted,
                                        "rediss://localhost:" + tls.port())
                                .environment(
                                        "PARLEY_REDIS_SERVERS_" + plain,
                                        "redis://default:pass@127.0.0.1:" + other.port() + "/2")
                                .start()
                                .awaitReady()) {
            Http http = new Http(pod.uri());

            for (int i = 1; i <= 8; i++) {
                assertThat(http.sendForm("hi", "room", "room" + i).status()).isEqualTo(200);
            }

            assertThat(tls.handshakes()).as("both connections").isGreaterThanOrEqualTo(2);
            assertThat(redis.command("DBSIZE").number()).isGreaterThan(1);
            var metrics = new Metrics(pod);
            for (String name : List.of("north", "south")) {
                assertThat(metrics.value("parley_subscription_up{server=\"" + name + "\"}"))
                        .isOne();
            }
            assertThat(metrics.value("parley_messages_published_total{result=\"ok\"}"))
                    .isEqualTo(8);
        }
    }

    @Test
    void certificateOfAnotherHost_isRefused_whereNamesAreChecked() {
        try (var tls = TlsProxy.to(redis.port(), directory, "wrong.example");
                var pod = tlsPod(tls, "HTTPS").start()) {
            Http management = pod.management();
            Timeouts.await("the reason")
                    .until(() -> management.get("/q/health/ready").body().contains("TLS failed"));
        }
    }

    private static ParleyProcess.Builder tlsPod(TlsProxy tls, String check) {
        ParleyProcess.Builder pod =
                ParleyProcess.builder()
                        .redis("rediss://localhost:" + tls.port())
                        .environment("QUARKUS_REDIS_TLS_TRUST_CERTIFICATE_PEM", "true")
                        .environment(
                                "QUARKUS_REDIS_TLS_TRUST_CERTIFICATE_PEM_CERTS",
                                tls.certificate().toString());
        return check == null
                ? pod
                : pod.environment("QUARKUS_REDIS_TLS_HOSTNAME_VERIFICATION_ALGORITHM", check);
    }
}
