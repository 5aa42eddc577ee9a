package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.parley.testsupport.Json;
import dev.parley.testsupport.ParleyProcess;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The log as one JSON object a line, as the manifests set it. */
class JsonLogIT {

    @Test
    void eachLine_isAJsonObject() {
        try (ParleyProcess pod =
                ParleyProcess.builder()
                        .environment("QUARKUS_LOG_CONSOLE_JSON_ENABLED", "true")
                        .redis("redis://127.0.0.1:1")
                        .start()) {
            // A warning: there is no Redis.
            pod.awaitLog("Parley goes on trying");
            pod.terminate();
            pod.awaitExit();

            List<JsonNode> lines = pod.log().lines().map(Json::parse).toList();
            assertThat(lines)
                    .isNotEmpty()
                    .allSatisfy(
                            line -> {
                                assertThat(line.path("timestamp").asText()).startsWith("20");
                                assertThat(line.path("level").asText()).isIn("INFO", "WARN");
                                assertThat(line.path("message").asText()).isNotBlank();
                            })
                    .anyMatch(line -> line.path("level").asText().equals("WARN"));
        }
    }
}
