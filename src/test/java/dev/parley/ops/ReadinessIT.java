package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.OwnedProcess;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.Ports;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SelfSignedCertificate;
import dev.parley.testsupport.TcpProxy;
import dev.parley.testsupport.Timeouts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Readiness says whether messages are delivered, and why not; the log says so once for each change.
 * Liveness never depends on Redis.
 */
final class ReadinessIT {

    private static ParleyProcess.Builder pod(String redis) {
        return ParleyProcess.builder().redis(redis).quickToDetectFaults();
    }

    @Test
    void podStartedBeforeRedis_isLive_andReadyOnceRedisIsUp() {
        try (var redis = RedisServer.start()) {
            redis.kill();
            try (var pod = pod(redis.uri()).start()) {
                var http = pod.management();
                Timeouts.await("the start")
                        .until(() -> http.get("/q/health/started").status() == 200);
                var ready = http.get("/q/health/ready");
                assertThat(ready.status()).isEqualTo(503);
                assertThat(ready.body()).contains("no connection to Redis");
                assertThat(http.get("/q/health/live").status()).isEqualTo(200);
                var metrics = new Metrics(pod);
                metrics.awaitValue("parley_subscription_up", 0);

                redis.restart();

                pod.awaitReady();
                metrics.awaitValue("parley_subscription_up", 1);
            }
        }
    }

    /** The management port opens first, and half a second before that of HTTPS. */
    @ParameterizedTest
    @CsvSource({
        "started, true, false",
        "ready, true, false",
        "started, true, true",
        "ready, true, true",
        "started, false, true",
        "ready, false, true"
    })
    void probeFails_untilThePublicPortsAreOpen(
            String probe, boolean plain, boolean encrypted, @TempDir Path directory)
            throws IOException {
        List<Integer> open = new ArrayList<>();
        int port = Ports.free();
        int management = Ports.free();
        var builder = ParleyProcess.builder().ports(port, management);
        if (plain) {
            open.add(port);
        } else {
            builder.config("quarkus.http.insecure-requests", "disabled");
        }
        if (encrypted) {
            open.add(Ports.free());
            Path store = directory.resolve("pod.p12");
            SelfSignedCertificate.create(store);
            builder.https(open.get(open.size() - 1), store);
        }
        try (OwnedProcess pod = builder.startProcess()) {
            var http = new Http(URI.create("http://127.0.0.1:" + management));

            Timeouts.await(probe)
                    .ignoreExceptionsInstanceOf(UncheckedIOException.class)
                    .failFast(() -> assertThat(pod.alive()).as(pod.log()).isTrue())
                    .until(() -> http.get("/q/health/" + probe).status() == 200);

            for (int each : open) {
                new Socket(InetAddress.getLoopbackAddress(), each).close();
            }
        }
    }

    @Test
    void outage_isLoggedOnce_howeverManyProbesFail() {
        try (var redis = RedisServer.start();
                var pod = pod(redis.uri()).start().awaitReady()) {
            pod.awaitLog("Ready: messages are delivered");
            redis.kill();
            pod.awaitReadiness(503);
            var http = pod.management();
            Timeouts.await("the reason")
                    .until(() -> http.get("/q/health/ready").body().contains("refused"));
            for (int i = 0; i < 50; i++) {
                assertThat(http.get("/q/health/ready").status()).isEqualTo(503);
            }
            redis.restart();
            pod.awaitReady();

            // The program's output may be read later than its answer.
            Timeouts.await("the last line")
                    .until(() -> healthLines(pod).endsWith("Ready: messages are delivered"));
            List<String> lines = healthLines(pod).lines().toList();

            for (int i = 1; i < lines.size(); i++) {
                assertThat(withoutTime(lines.get(i))).isNotEqualTo(withoutTime(lines.get(i - 1)));
            }
            assertThat(lines.stream().filter(line -> line.contains("Not ready: no ")))
                    .isNotEmpty()
                    .hasSizeLessThan(10);
            assertThat(pod.log()).doesNotContain("SRHCK");
        }
    }

    private static String healthLines(ParleyProcess pod) {
        return pod.log()
                .lines()
                .filter(line -> line.contains("HealthLog"))
                .collect(Collectors.joining("\n"));
    }

    private static String withoutTime(String line) {
        return line.substring(line.indexOf(" INFO "));
    }

    @Test
    void silentNetwork_makesPodNotReady_thoughItsConnectionsStayOpen() {
        try (var redis = RedisServer.start();
                var proxy = TcpProxy.to(redis.port());
                var pod = pod(proxy.uri("redis")).start().awaitReady()) {
            proxy.blackHole();

            pod.awaitReadiness(503);
            assertThat(pod.management().get("/q/health/live").status()).isEqualTo(200);

            proxy.cut();
            proxy.heal();
            pod.awaitReady();
        }
    }
}
