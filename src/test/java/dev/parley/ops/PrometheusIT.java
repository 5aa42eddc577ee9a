package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.OwnedProcess;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.Ports;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import dev.parley.testsupport.Tool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real Prometheus scrapes a pod, knows every series, and evaluates the rules on them. */
final class PrometheusIT {

    @TempDir Path directory;

    @Test
    void prometheus_scrapesEverySeriesAndEvaluatesTheRules() throws IOException {
        try (var redis = RedisServer.start();
                var pod = ParleyProcess.start(redis).awaitReady();
                var reader = SseReader.open(pod.uri("/events")).awaitConnected()) {
            reader.awaitLastEventId();
            new Http(pod.uri()).sendForm("counted");
            reader.awaitData("counted");
            int port = Ports.free();
            try (OwnedProcess prometheus = start(port, pod.managementPort())) {
                var api = new Http(URI.create("http://127.0.0.1:" + port));

                awaitValue(api, "parley_connected_clients", "1");
                awaitValue(api, "parley_messages_published_total{result=\"ok\"}", "1");
                awaitValue(api, "parley_subscription_up", "1");
                Set<String> expected = new HashSet<>(ProgramNames.METRICS);
                expected.removeAll(ProgramNames.METRICS_OF_A_CLUSTER);
                for (String series : expected) {
                    // After a scrape that took too long, all series are missing for a while.
                    await(series).until(() -> !result(api, series).isEmpty());
                }
                awaitValue(api, "parley:connected_clients:sum", "1");
                assertThat(get(api, "/api/v1/rules").findValuesAsText("health"))
                        .isNotEmpty()
                        .doesNotContain("err");
                assertThat(get(api, "/api/v1/metadata").findValuesAsText("help"))
                        .contains("Messages handed to a connection", "Open event streams");
            }
        }
    }

    @Test
    void histograms_haveTheBucketsThatTheRulesAreTestedWith() {
        try (var redis = RedisServer.start();
                var pod = ParleyProcess.start(redis).awaitReady()) {
            Map<String, Set<Double>> histograms = ProgramNames.histograms(new Metrics(pod).page());

            assertThat(histograms)
                    .containsExactlyInAnyOrderEntriesOf(
                            ProgramNames.BUCKETS.entrySet().stream()
                                    .collect(
                                            Collectors.toMap(
                                                    series -> series.getKey() + "{}",
                                                    Map.Entry::getValue)));
        }
    }

    private OwnedProcess start(int port, int target) throws IOException {
        return Tool.named("prometheus")
                .start(
                        "--config.file=" + configuration(target),
                        "--storage.tsdb.path=" + directory.resolve("data"),
                        "--web.listen-address=127.0.0.1:" + port);
    }

    /** Writes a configuration with the rules of the manifests, and the pod as the only target. */
    private Path configuration(int pod) throws IOException {
        Path rules = directory.resolve("rules.yaml");
        var source = Path.of("k8s", "components", "prometheus-rule", "prometheus-rule.yaml");
        new YAMLMapper().writeValue(rules.toFile(), Manifests.yaml(source).path("spec"));
        return Files.writeString(
                directory.resolve("prometheus.yaml"),
                """
                global: {scrape_interval: 3s, evaluation_interval: 1s}
                rule_files: [rules.yaml]
                scrape_configs:
                  - job_name: parley
                    metrics_path: %s
                    static_configs:
                      - targets: ["127.0.0.1:%d"]
                        labels: {namespace: test, pod: parley-0}
                """
                        .formatted(ProgramNames.METRICS_PATH, pod));
    }

    private static void awaitValue(Http api, String query, String value) {
        await(query).until(() -> result(api, query).at("/0/value/1").asText().equals(value));
    }

    private static ConditionFactory await(String query) {
        return Timeouts.await(query).ignoreException(UncheckedIOException.class);
    }

    private static JsonNode result(Http api, String query) {
        String encoded = URLEncoder.encode(query, StandardCharsets.UTF_8);
        return get(api, "/api/v1/query?query=" + encoded).at("/data/result");
    }

    private static JsonNode get(Http api, String path) {
        return api.get(path).json();
    }
}
