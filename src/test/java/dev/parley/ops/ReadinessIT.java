package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.TcpProxy;
import org.junit.jupiter.api.Test;

/** Readiness says whether messages flow, and why not; liveness never depends on Redis. */
final class ReadinessIT {

    private static ParleyProcess.Builder pod(String redis) {
        return ParleyProcess.builder()
                .redis(redis)
                .config("parley.redis.probe-interval", "200MS")
                .config("parley.redis.probe-timeout", "2S")
                .config("parley.redis.max-backoff", "200MS");
    }

    @Test
    void podBeforeItsRedis_isLive_andReadyOnceRedisIsThere() {
        try (var redis = RedisServer.start()) {
            redis.kill();
            try (var pod = pod(redis.uri()).start()) {
                pod.awaitReadiness(503);
                var http = new Http(pod.uri());
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
    void silentNetwork_isNoticed_thoughConnectionsStand() {
        try (var redis = RedisServer.start();
                var proxy = TcpProxy.to(redis.port());
                var pod = pod(proxy.uri("redis")).start().awaitReady()) {
            proxy.blackHole();

            pod.awaitReadiness(503);
            assertThat(new Http(pod.uri()).get("/q/health/live").status()).isEqualTo(200);

            proxy.cut();
            proxy.heal();
            pod.awaitReady();
        }
    }
}
