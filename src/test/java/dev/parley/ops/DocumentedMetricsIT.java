package dev.parley.ops;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisCluster;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.TextFiles;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * docs/operations.md lists every metric of Parley, with every label and its values, and no others.
 */
final class DocumentedMetricsIT {

    private static final String SECTION = section();

    /** A row of the table: metric, labels, and what it says. */
    private static final Pattern ROW =
            Pattern.compile("(?m)^\\| `(parley_[a-z_]+)` \\| ([^|]*)\\| [^|]+ \\|$");

    /** A label with its values: {@code `outcome`: `resumed`, `gap`}. */
    private static final Pattern LABEL = Pattern.compile("`(\\w+)`: (`[^`]+`(?:, `[^`]+`)*)");

    private static final Pattern QUOTED = Pattern.compile("`([^`]+)`");

    /** The sentence that names the metrics with the label of the server, without its own name. */
    private static final Pattern WITH_SERVER =
            Pattern.compile("these have the label `server`[^:]*: ([^.]*)\\.");

    private static final Pattern HISTOGRAM = Pattern.compile("(?m)^# TYPE (parley_\\w+) histogram");
    private static final Pattern SAMPLE = Pattern.compile("(?m)^(parley_\\w+)(?:\\{(.*)})? \\S+$");
    private static final Pattern TAG = Pattern.compile("(\\w+)=\"([^\"]*)\"");

    private static String section() {
        String document = TextFiles.read("docs/operations.md");
        int begin = document.indexOf("\n## Metrics\n");
        return document.substring(begin, document.indexOf("\n### ", begin));
    }

    @Test
    void metricsOfAPod_onAListOfServers_areTheDocumentedOnes() {
        Map<String, Map<String, Set<String>>> expected = documentedWithRedis();
        expected.keySet().removeAll(ProgramNames.METRICS_OF_A_CLUSTER);
        Set<String> withServer = new TreeSet<>(withServer());
        expected.keySet().stream()
                .filter(name -> name.startsWith("parley_redis_"))
                .forEach(withServer::add);
        withServer.forEach(name -> expected.get(name).put("server", Set.of("north")));
        try (var redis = RedisServer.start();
                var pod =
                        ParleyProcess.builder()
                                .config("parley.redis.servers.north", redis.uri())
                                .start()
                                .awaitReady()) {

            assertThat(exposed(new Metrics(pod).page())).isEqualTo(expected);
        }
    }

    @Test
    void metricsOfAPod_onACluster_areTheDocumentedOnes() {
        try (var cluster = RedisCluster.start();
                var pod =
                        ParleyProcess.builder()
                                .redis(cluster.hosts())
                                .config("quarkus.redis.client-type", "cluster")
                                .start()
                                .awaitReady()) {

            assertThat(exposed(new Metrics(pod).page())).isEqualTo(documentedWithRedis());
        }
    }

    @Test
    void metricsOfAPod_withoutRedis_areTheOthers() {
        Map<String, Map<String, Set<String>>> expected = documented();
        expected.keySet().removeIf(name -> name.startsWith("parley_redis_"));
        try (var pod = ParleyProcess.start().awaitReady()) {

            assertThat(exposed(new Metrics(pod).page())).isEqualTo(expected);
        }
    }

    private static Map<String, Map<String, Set<String>>> documentedWithRedis() {
        Map<String, Map<String, Set<String>>> documented = documented();
        documented.keySet().removeIf(name -> name.startsWith("parley_memory_"));
        return documented;
    }

    /** The values of the labels of each metric in the document. */
    private static Map<String, Map<String, Set<String>>> documented() {
        Map<String, Map<String, Set<String>>> documented = new TreeMap<>();
        ROW.matcher(SECTION)
                .results()
                .forEach(
                        row -> {
                            Map<String, Set<String>> labels = new TreeMap<>();
                            LABEL.matcher(row.group(2))
                                    .results()
                                    .forEach(l -> labels.put(l.group(1), quoted(l.group(2))));
                            assertThat(documented.put(row.group(1), labels)).isNull();
                        });
        return documented;
    }

    private static Set<String> withServer() {
        MatchResult sentence = WITH_SERVER.matcher(SECTION).results().findFirst().orElseThrow();
        return quoted(sentence.group(1)).stream()
                .filter(name -> !name.endsWith("…"))
                .collect(toSet());
    }

    private static Set<String> quoted(String text) {
        return QUOTED.matcher(text).results().map(one -> one.group(1)).collect(toSet());
    }

    /** The values of the labels of each metric on the page; a histogram is one metric. */
    private static Map<String, Map<String, Set<String>>> exposed(String page) {
        Map<String, String> metricOfSeries = new TreeMap<>();
        HISTOGRAM
                .matcher(page)
                .results()
                .map(type -> type.group(1))
                .forEach(
                        name -> {
                            for (String part : Set.of("_bucket", "_count", "_sum", "_max")) {
                                metricOfSeries.put(name + part, name);
                            }
                        });
        Map<String, Map<String, Set<String>>> exposed = new TreeMap<>();
        SAMPLE.matcher(page)
                .results()
                .forEach(
                        sample -> {
                            String series = sample.group(1);
                            var labels =
                                    exposed.computeIfAbsent(
                                            metricOfSeries.getOrDefault(series, series),
                                            name -> new TreeMap<>());
                            TAG.matcher(String.valueOf(sample.group(2)))
                                    .results()
                                    .filter(tag -> !tag.group(1).equals("le"))
                                    .forEach(
                                            tag ->
                                                    labels.computeIfAbsent(
                                                                    tag.group(1),
                                                                    label -> new TreeSet<>())
                                                            .add(tag.group(2)));
                        });
        return exposed;
    }
}
