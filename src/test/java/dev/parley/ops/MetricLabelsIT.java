package dev.parley.ops;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.SharedPod;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.TestRoom;
import dev.parley.testsupport.Timeouts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The labels of the metrics have a small, fixed set of values, whatever clients send. */
@ExtendWith(SharedPod.Extension.class)
class MetricLabelsIT {

    private final SharedPod pod;
    private final Http http;
    private final Metrics metrics;

    MetricLabelsIT(SharedPod pod) {
        this.pod = pod;
        http = pod.http();
        metrics = new Metrics(pod.process());
    }

    @Test
    void labels_haveTheValuesThatRulesMayAskFor() {
        String page = metrics.page();

        assertThat(ProgramNames.LABEL_VALUES)
                .allSatisfy((label, values) -> assertThat(valuesOf(label, page)).isEqualTo(values));
    }

    private static Set<String> valuesOf(String label, String page) {
        return Pattern.compile("^parley_.*[{,]" + label + "=\"([^\"]*)\"", Pattern.MULTILINE)
                .matcher(page)
                .results()
                .map(match -> match.group(1))
                .collect(toSet());
    }

    @Test
    void refusedRequests_leaveNoPathInALabel() {
        // Of the requests here, the last one alone gets this answer.
        String lastOnes = "status=\"200\",uri=\"/rooms/{room}/messages\"";
        double before = requests(lastOnes);
        for (int i = 0; i < 150; i++) {
            http.with("Accept", "nonsense").get("/rooms/made-up-" + i + "/messages");
        }
        http.get("/rooms/made-up/messages?limit=" + "1".repeat(5_000));
        http.get("/made-up");
        http.get("/rooms/lobby/messages");

        Timeouts.await("the last request is counted").until(() -> requests(lastOnes) > before);
        assertThat(metrics.page()).doesNotContain("made-up");
        assertThat(pod.process().log()).doesNotContain("WARN").doesNotContain("ERROR");
    }

    @Test
    void madeUpMethods_leaveNoValueInALabel() {
        double before = requests("method=\"other\"");
        for (int i = 0; i < 50; i++) {
            http.call("MADEUP" + i, "/events");
            http.call("MADEUP" + i, "/made-up");
        }

        Timeouts.await("each request is counted")
                .until(() -> requests("method=\"other\"") >= before + 100);
        assertThat(metrics.page()).doesNotContain("MADEUP");
    }

    @Test
    void filesOfThePages_areCountedUnderTheirPaths() throws IOException {
        Path pages = Path.of("src/main/resources/META-INF/resources");
        List<String> paths;
        try (Stream<Path> files = Files.walk(pages)) {
            paths =
                    files.filter(Files::isRegularFile)
                            .map(file -> "/" + pages.relativize(file))
                            .toList();
        }
        assertThat(paths).contains("/index.html", "/chat/stream.js");
        paths.forEach(http::get);
        http.get("/chat/made-up.js");

        assertThat(paths)
                .allSatisfy(
                        path ->
                                Timeouts.await(path + " is counted")
                                        .until(() -> requests("uri=\"" + path + "\"") > 0));
        assertThat(metrics.page()).doesNotContain("made-up");
    }

    /** The number of requests that the framework has counted under these labels. */
    private double requests(String labels) {
        return metrics.page()
                .lines()
                .filter(line -> line.startsWith("http_server_requests_seconds_count{"))
                .filter(line -> line.contains(labels))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .sum();
    }

    @Test
    void labels_carryNeitherRoomsNorIds() {
        TestRoom room = pod.newRoom();
        try (SseReader reader = room.subscribe()) {
            String id = room.publish("hi");
            reader.awaitMessages(1);
            room.history("");

            assertThat(metrics.page()).doesNotContain(room.name()).doesNotContain(id);
            assertThat(metrics.page()).doesNotContainPattern("\\d+\\.\\d+\\.\\d+\\.\\d+");
        }
    }
}
