package dev.parley.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import java.net.URI;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Many readers, and readers who leave. */
class FanOutIT {

    private static final int READERS = 200;
    private static final int MESSAGES = 200;
    private static final String CONNECTED = "parley_connected_clients";

    private ParleyProcess pod;
    private Http http;
    private Metrics metrics;

    @BeforeEach
    void startPod() {
        pod = ParleyProcess.start().awaitReady();
        http = new Http(pod.uri());
        metrics = new Metrics(pod);
    }

    @AfterEach
    void stopPod() {
        pod.close();
    }

    private List<SseReader> readers(URI uri, int count) {
        List<SseReader> readers =
                IntStream.range(0, count).mapToObj(i -> SseReader.to(uri).open()).toList();
        readers.forEach(SseReader::awaitLastEventId);
        return readers;
    }

    @Test
    void everyReader_getsEveryMessageInOrder() {
        List<SseReader> readers = readers(pod.uri("/events"), READERS);

        List<Event> sent =
                IntStream.range(0, MESSAGES)
                        .mapToObj(i -> "message " + i)
                        .map(
                                text ->
                                        new Event(
                                                http.sendForm(text).header("Event-Id"),
                                                "message",
                                                text))
                        .toList();

        for (SseReader reader : readers) {
            assertThat(reader.awaitMessages(MESSAGES).events()).isEqualTo(sent);
        }
        metrics.awaitValue("parley_deliveries_total", READERS * MESSAGES);
        assertThat(metrics.value(CONNECTED)).isEqualTo(READERS);
        readers.forEach(SseReader::close);
        metrics.awaitValue(CONNECTED, 0);
    }

    @Test
    void concurrentPublishers_haveOneOrderForEveryReader() {
        List<SseReader> readers = readers(pod.uri("/events"), 20);

        IntStream.range(0, MESSAGES).parallel().forEach(i -> http.sendForm("message " + i));

        List<Event> first = readers.get(0).awaitMessages(MESSAGES).events();
        assertThat(first.stream().map(FanOutIT::offset))
                .containsExactlyElementsOf(IntStream.rangeClosed(1, MESSAGES).boxed().toList());
        assertThat(first).extracting(Event::data).doesNotHaveDuplicates();
        for (SseReader reader : readers) {
            assertThat(reader.awaitMessages(MESSAGES).events()).isEqualTo(first);
            reader.close();
        }
    }

    private static int offset(Event event) {
        return Integer.parseInt(event.id().substring(event.id().indexOf('-') + 1));
    }

    @Test
    void readersWhoLeave_areGoneFromTheCount() {
        List<SseReader> staying = readers(pod.uri("/events"), 3);
        List<SseReader> closing = readers(pod.uri("/events"), 10);
        List<SseReader> resetting = readers(pod.uri("/events?room=other"), 10);
        metrics.awaitValue(CONNECTED, 23);

        closing.forEach(SseReader::close);
        resetting.forEach(SseReader::dropConnection);

        metrics.awaitValue(CONNECTED, 3);
        metrics.awaitValue("parley_disconnects_total{reason=\"client\"}", 20);
        http.sendForm("still here");
        staying.forEach(reader -> reader.awaitData("still here").close());
        metrics.awaitValue(CONNECTED, 0);
        assertThat(pod.log()).doesNotContain("ERROR").doesNotContain("WARN");
    }

    @Test
    void readersWhoLeaveAmidMessages_disturbNobody() {
        List<SseReader> leaving = readers(pod.uri("/events"), 30);
        try (SseReader staying = SseReader.open(pod.uri("/events")).awaitLastEventId()) {
            List<String> texts =
                    IntStream.range(0, 30).mapToObj(i -> i + "x".repeat(10_000)).toList();

            for (int i = 0; i < texts.size(); i++) {
                http.sendForm(texts.get(i));
                if (i % 2 == 0) {
                    leaving.get(i).dropConnection();
                } else {
                    leaving.get(i).close();
                }
            }

            assertThat(staying.awaitMessages(texts.size()).data().equals(texts)).isTrue();
            metrics.awaitValue(CONNECTED, 1);
            assertThat(pod.log()).doesNotContain("ERROR").doesNotContain("WARN");
        }
    }

    @Test
    void readersOfManyRooms_areCountedTogether() {
        List<SseReader> readers =
                Stream.of("a", "b", "c")
                        .map(room -> SseReader.open(pod.uri("/events?room=" + room)))
                        .toList();

        metrics.awaitValue(CONNECTED, 3);
        metrics.awaitValue("parley_rooms", 3);
        readers.forEach(SseReader::close);
        metrics.awaitValue(CONNECTED, 0);
    }
}
