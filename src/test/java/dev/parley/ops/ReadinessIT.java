package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.TcpProxy;
import dev.parley.testsupport.Timeouts;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

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
                pod.awaitReadiness(503);
                var http = pod.management();
                assertThat(http.get("/q/health/ready").body()).contains("no connection to Redis");
                assertThat(http.get("/q/health/live").status()).isEqualTo(200);
                assertThat(http.get("/q/health/started").status()).isEqualTo(200);
                var metrics = new Metrics(pod);
                metrics.awaitValue("parley_subscription_up", 0);

                redis.restart();

                pod.awaitReady();
                metrics.awaitValue("parley_subscription_up", 1);
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
