package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SseReader;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** The metrics count the traffic. */
class MetricsIT {

    @AutoClose private final ParleyProcess pod = ParleyProcess.start().awaitReady();
    private final Http http = new Http(pod.uri());
    private final Metrics metrics = new Metrics(pod);

    @Test
    void everySeries_existsFromTheStart() {
        String page = metrics.page();

        assertThat(page.lines().filter(line -> line.startsWith("parley_")))
                .contains(
                        "parley_connected_clients 0.0",
                        "parley_rooms 0.0",
                        "parley_slow_readers 0.0",
                        "parley_messages_published_total{result=\"ok\"} 0.0",
                        "parley_messages_published_total{result=\"duplicate\"} 0.0",
                        "parley_messages_published_total{result=\"rejected\"} 0.0",
                        "parley_messages_published_total{result=\"failed\"} 0.0",
                        "parley_messages_received_total 0.0",
                        "parley_deliveries_total 0.0",
                        "parley_delivered_bytes_total 0.0",
                        "parley_disconnects_total{reason=\"client\"} 0.0",
                        "parley_disconnects_total{reason=\"slow-consumer\"} 0.0",
                        "parley_resumes_total{outcome=\"resumed\"} 0.0",
                        "parley_resumes_total{outcome=\"gap\"} 0.0",
                        "parley_replayed_messages_total 0.0",
                        "parley_backfills_total 0.0");
    }

    @Test
    void traffic_isCounted() {
        try (SseReader one = SseReader.open(pod.uri("/events")).awaitLastEventId();
                SseReader two = SseReader.open(pod.uri("/events")).awaitLastEventId()) {
            http.with("Idempotency-Key", "k").sendForm("hi");
            http.with("Idempotency-Key", "k").sendForm("hi");
            http.sendForm("ho");
            http.sendForm("");
            one.awaitMessages(2);
            two.awaitMessages(2);

            metrics.awaitValue("parley_messages_published_total{result=\"ok\"}", 2);
            metrics.awaitValue("parley_messages_published_total{result=\"duplicate\"}", 1);
            metrics.awaitValue("parley_messages_published_total{result=\"rejected\"}", 1);
            metrics.awaitValue("parley_messages_received_total", 2);
            metrics.awaitValue("parley_deliveries_total", 4);
            metrics.awaitValue("parley_connected_clients", 2);
            metrics.awaitValue("parley_rooms", 1);
            assertThat(metrics.value("parley_delivered_bytes_total")).isPositive();
        }
        metrics.awaitValue("parley_connected_clients", 0);
        metrics.awaitValue("parley_disconnects_total{reason=\"client\"}", 2);
    }

    /** The limit of streams counts it, so the gauge that is compared with the limit has to. */
    @Test
    void clock_isCountedAsAStream() {
        try (SseReader clock = SseReader.open(pod.uri("/clock")).awaitMessages(1)) {
            metrics.awaitValue("parley_connected_clients", 1);
            assertThat(metrics.value("parley_cursors")).isZero();
            assertThat(clock.connected()).isTrue();
        }
        metrics.awaitValue("parley_connected_clients", 0);
        metrics.awaitValue("parley_disconnects_total{reason=\"client\"}", 1);
    }
}
