package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import org.junit.jupiter.api.Test;

/** What the platform sees: probes, and a quiet log. */
class HealthIT {

    private static void assertHealthy(ParleyProcess pod) throws JsonProcessingException {
        for (String probe : new String[] {"", "/live", "/ready", "/started"}) {
            Answer answer = new Http(pod.uri()).get("/q/health" + probe);
            assertThat(answer.status()).as(probe).isEqualTo(200);
            assertThat(new ObjectMapper().readTree(answer.body()).path("status").textValue())
                    .as(answer.body())
                    .isEqualTo("UP");
        }
    }

    /** A message goes out and comes in. */
    private static void exchange(ParleyProcess pod) {
        try (SseReader reader = SseReader.open(pod.uri("/events")).awaitLastEventId()) {
            new Http(pod.uri()).sendForm("hi");
            reader.awaitData("hi");
        }
    }

    private static void assertQuiet(ParleyProcess pod) {
        assertThat(pod.log().lines())
                .isNotEmpty()
                .noneMatch(line -> line.contains("WARN") || line.contains("ERROR"));
    }

    @Test
    void podWithoutRedis_isHealthyAndQuiet_toTheEnd() throws Exception {
        try (ParleyProcess pod = ParleyProcess.start().awaitReady()) {
            assertHealthy(pod);
            exchange(pod);
            assertHealthy(pod);

            pod.terminate();
            pod.awaitExit();

            assertQuiet(pod);
        }
    }

    @Test
    void emptyRedisHost_meansNone() throws Exception {
        try (ParleyProcess pod =
                ParleyProcess.builder()
                        .environment("QUARKUS_REDIS_HOSTS", "")
                        .start()
                        .awaitReady()) {
            assertHealthy(pod);
            exchange(pod);

            assertQuiet(pod);
        }
    }

    @Test
    void podOnRedis_isHealthyAndQuiet() throws Exception {
        try (RedisServer redis = RedisServer.start();
                ParleyProcess pod = ParleyProcess.start(redis).awaitReady()) {
            assertHealthy(pod);
            exchange(pod);
            assertHealthy(pod);

            assertQuiet(pod);
        }
    }
}
