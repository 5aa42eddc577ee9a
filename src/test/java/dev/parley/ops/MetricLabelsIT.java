package dev.parley.ops;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.SharedPod;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.TestRoom;
import dev.parley.testsupport.Timeouts;
import java.util.Set;
import java.util.regex.Pattern;
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
        for (int i = 0; i < 150; i++) {
            http.with("Accept", "nonsense").get("/rooms/made-up-" + i + "/messages");
        }
        http.get("/rooms/made-up/messages?limit=" + "1".repeat(5_000));
        http.get("/made-up");
        http.get("/rooms/lobby/messages");

        Timeouts.await("the last request's label")
                .until(() -> metrics.page().contains("uri=\"/rooms/{room}/messages\""));
        assertThat(metrics.page()).doesNotContain("made-up");
        assertThat(pod.process().log()).doesNotContain("WARN");
    }

    @Test
    void madeUpMethods_leaveNoValueInALabel() {
        for (int i = 0; i < 50; i++) {
            http.call("MADEUP" + i, "/events");
            http.call("MADEUP" + i, "/made-up");
        }

        Timeouts.await("the last request's label")
                .until(() -> metrics.page().contains("method=\"other\""));
        assertThat(metrics.page()).doesNotContain("MADEUP");
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
