package dev.parley.ops;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.parley.testsupport.TextFiles;
import dev.parley.testsupport.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Rules and dashboard query only series that the program has, promtool tests every rule, and every
 * alert names its section of the runbook. The PrometheusRule is the only copy of the rules;
 * promtool reads them from {@code target/prometheus/rules.yaml}, to which this test extracts them.
 */
final class AlertRulesTest {
    private static final YAMLMapper YAML = new YAMLMapper();
    private static final Path TARGET = Path.of("target", "prometheus");
    private static final List<Path> PROMTOOL_TESTS =
            TextFiles.below(Path.of("src", "test", "prometheus"), ".yaml");
    private static final Path RUNBOOK = Path.of("docs", "operations.md");
    private static final JsonNode RULES =
            component("prometheus-rule/prometheus-rule.yaml").path("spec");
    private static final JsonNode DASHBOARD = component("grafana-dashboard/parley.json");
    private static final Pattern SERIES = Pattern.compile("\\bparley[_:][a-z0-9_:]+");

    /** Series of the framework. The native program lacks some of those of the JVM. */
    private static final Pattern FRAMEWORK_SERIES =
            Pattern.compile(
                    "(?<![a-z0-9_:])(?:jvm|process|system|netty|worker|http|redis)_[a-z0-9_]+");

    private static final Pattern MATCHER =
            Pattern.compile("(result|reason|outcome)(?:=|!=|=~|!~)\"([^\"]*)\"");

    /** A recorded quantile that an alert compares with a number. */
    private static final Pattern QUANTILE_BOUND =
            Pattern.compile("parley:(\\w+):p\\d+_5m [<>] ([0-9.]+)");

    @BeforeAll
    static void copyRulesForPromtool() throws IOException {
        Files.createDirectories(TARGET);
        YAML.writeValue(TARGET.resolve("rules.yaml").toFile(), RULES);
    }

    @Test
    void rules_areValid() {
        Tool.named("promtool").run("check", "rules", TARGET.resolve("rules.yaml").toString());
    }

    @Test
    void rules_passTheirPromtoolTests() {
        var arguments = Stream.concat(Stream.of("test", "rules"), PROMTOOL_TESTS.stream());

        Tool.named("promtool").run(arguments.map(Object::toString).toArray(String[]::new));
    }

    /** With other buckets a test would show quantiles that the program cannot have. */
    @Test
    void histogramsOfPromtoolTests_haveTheBucketsOfTheProgram() {
        assertThat(PROMTOOL_TESTS)
                .flatExtracting(file -> ProgramNames.histograms(TextFiles.read(file)).entrySet())
                .isNotEmpty()
                .allSatisfy(
                        histogram ->
                                assertThat(histogram.getValue())
                                        .as(histogram.getKey())
                                        .isEqualTo(
                                                ProgramNames.BUCKETS.get(
                                                        histogram
                                                                .getKey()
                                                                .replaceFirst("\\{.*", ""))));
    }

    /** Within a bucket Prometheus can only guess, so a bound of an alert is one of a bucket. */
    @Test
    void alertsOnQuantiles_compareWithTheBoundOfABucket() {
        List<MatchResult> compared =
                queries(RULES).stream()
                        .flatMap(query -> QUANTILE_BOUND.matcher(query).results())
                        .toList();

        assertThat(compared)
                .isNotEmpty()
                .allSatisfy(
                        bound ->
                                assertThat(
                                                ProgramNames.BUCKETS.get(
                                                        "parley_" + bound.group(1) + "_bucket"))
                                        .contains(Double.valueOf(bound.group(2))));
    }

    @Test
    void everyAlert_isTestedFiringAndNotFiring() {
        Set<String> firing = new TreeSet<>();
        Set<String> quiet = new TreeSet<>();

        for (Path file : PROMTOOL_TESTS) {
            for (JsonNode check :
                    Manifests.yaml(file).findValues("alert_rule_test").stream()
                            .flatMap(JsonNode::valueStream)
                            .toList()) {
                (check.path("exp_alerts").isEmpty() ? quiet : firing)
                        .add(check.path("alertname").asText());
            }
        }

        assertThat(firing).isEqualTo(names("alert"));
        assertThat(quiet).isEqualTo(names("alert"));
    }

    @Test
    void everyRecord_isTested() {
        String records = TextFiles.read("src/test/prometheus/records.yaml");

        assertThat(names("record")).isNotEmpty().allMatch(records::contains);
    }

    @Test
    void dashboardQueries_areValid() throws IOException {
        ObjectNode rules = YAML.createObjectNode();
        var group = rules.putArray("groups").addObject().put("name", "dashboard").putArray("rules");
        for (String query : queries(DASHBOARD)) {
            group.addObject()
                    .put("record", "query:" + group.size())
                    .put("expr", query.replace("$__rate_interval", "5m"));
        }
        Path file = TARGET.resolve("dashboard-queries.yaml");

        YAML.writeValue(file.toFile(), rules);

        Tool.named("promtool").run("check", "rules", file.toString());
    }

    @Test
    void queries_nameOnlySeriesThatExist() {
        Set<String> known = new TreeSet<>(names("record"));
        known.addAll(ProgramNames.METRICS);

        assertThat(Stream.concat(queries(RULES).stream(), queries(DASHBOARD).stream()))
                .isNotEmpty()
                .allSatisfy(
                        query -> assertThat(found(SERIES, query)).isNotEmpty().isSubsetOf(known));
    }

    @Test
    void queries_workWithTheNativeProgram() {
        assertThat(Stream.concat(queries(RULES).stream(), queries(DASHBOARD).stream()))
                .allSatisfy(query -> assertThat(found(FRAMEWORK_SERIES, query)).isEmpty());
    }

    @Test
    void manifests_nameNoSeriesOfTheJvm() {
        for (String end : List.of(".yaml", ".json", ".env", ".md")) {
            assertThat(TextFiles.below(Manifests.ROOT, end))
                    .isNotEmpty()
                    .allSatisfy(file -> assertThat(Files.readString(file)).doesNotContain("jvm_"));
        }
    }

    @Test
    void queries_nameOnlyLabelValuesThatExist() {
        Stream<MatchResult> matchers =
                Stream.concat(queries(RULES).stream(), queries(DASHBOARD).stream())
                        .flatMap(query -> MATCHER.matcher(query).results());

        assertThat(matchers)
                .isNotEmpty()
                .allSatisfy(
                        matcher ->
                                assertThat(matcher.group(2).split("\\|"))
                                        .isSubsetOf(
                                                ProgramNames.LABEL_VALUES.get(matcher.group(1))));
    }

    @Test
    void everyMetric_isOnTheDashboard() {
        Set<String> shown =
                queries(DASHBOARD).stream()
                        .flatMap(q -> found(SERIES, q).stream())
                        .collect(toSet());

        assertThat(shown).containsAll(ProgramNames.METRICS);
    }

    /** In words: a link would have to lead to wherever the reader of the alert has the document. */
    @Test
    void everyAlert_namesItsSectionOfTheRunbook() {
        List<String> headings = TextFiles.read(RUNBOOK).lines().toList();

        for (JsonNode alert : rules("alert")) {
            String name = alert.path("alert").asText();
            assertThat(alert.at("/labels/severity").asText()).isIn("warning", "critical");
            assertThat(alert.at("/annotations/summary").asText()).isNotBlank();
            assertThat(alert.at("/annotations/runbook").asText())
                    .isEqualTo(RUNBOOK + ", section " + name);
            assertThat(headings).contains("### " + name);
        }
    }

    private static JsonNode component(String file) {
        return Manifests.yaml(Manifests.ROOT.resolve("components").resolve(file));
    }

    /** The rules that have this field, which is {@code alert} or {@code record}. */
    private static List<JsonNode> rules(String field) {
        return RULES.findParents(field);
    }

    private static Set<String> names(String field) {
        return rules(field).stream().map(rule -> rule.path(field).asText()).collect(toSet());
    }

    private static List<String> queries(JsonNode source) {
        return source.findValuesAsText("expr");
    }

    private static Set<String> found(Pattern pattern, String text) {
        return pattern.matcher(text).results().map(MatchResult::group).collect(toSet());
    }
}
