package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import org.junit.jupiter.api.Test;

/** A healthy pod answers every probe with UP, and logs neither warnings nor errors. */
class HealthIT {

    private static void assertHealthy(ParleyProcess pod) {
        for (String probe : new String[] {"", "/live", "/ready", "/started"}) {
            Answer answer = pod.management().get("/q/health" + probe);
            assertThat(answer.status()).as(probe).isEqualTo(200);
            assertThat(answer.json().path("status").textValue()).as(answer.body()).isEqualTo("UP");
        }
    }

    /** Publishes a message and receives it. */
    private static void exchange(ParleyProcess pod) {
        try (SseReader reader = SseReader.open(pod.uri("/events")).awaitLastEventId()) {
            new Http(pod.uri()).sendForm("hi");
            reader.awaitData("hi");
        }
    }

    private static void assertNoWarnings(ParleyProcess pod) {
        assertThat(pod.log().lines())
                .isNotEmpty()
                .noneMatch(line -> line.contains("WARN") || line.contains("ERROR"));
    }

    @Test
    void podWithoutRedis_isHealthyAndLogsNoWarnings_untilItExits() {
        try (ParleyProcess pod = ParleyProcess.start().awaitReady()) {
            assertHealthy(pod);
            exchange(pod);
            assertHealthy(pod);

            pod.terminate();
            pod.awaitExit();

            assertNoWarnings(pod);
        }
    }

    @Test
    void emptyRedisHost_meansWithoutRedis() {
        try (ParleyProcess pod =
                ParleyProcess.builder()
                        .environment("QUARKUS_REDIS_HOSTS", "")
                        .start()
                        .awaitReady()) {
            assertHealthy(pod);
            exchange(pod);

            assertNoWarnings(pod);
        }
    }

    @Test
    void podOnRedis_isHealthyAndLogsNoWarnings() {
        try (RedisServer redis = RedisServer.start();
                ParleyProcess pod = ParleyProcess.start(redis).awaitReady()) {
            assertHealthy(pod);
            exchange(pod);
            assertHealthy(pod);

            assertNoWarnings(pod);
        }
    }
}
