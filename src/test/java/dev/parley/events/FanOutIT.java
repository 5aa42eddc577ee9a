package dev.parley.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Many readers get every message in one order, while others leave. */
class FanOutIT {

    private static final int READERS = 200;
    private static final int MESSAGES = 200;
    private static final String CONNECTED = "parley_connected_clients";

    @AutoClose private final ParleyProcess pod = ParleyProcess.start().awaitReady();
    private final Http http = new Http(pod.uri());
    private final Metrics metrics = new Metrics(pod);

    @Test
    void manyReaders_getEveryMessageInOrder() {
        List<SseReader> readers = open(READERS, "/events");

        List<Event> sent =
                IntStream.range(0, MESSAGES).mapToObj(i -> send("message " + i)).toList();

        for (SseReader reader : readers) {
            assertThat(reader.awaitMessages(MESSAGES).events()).isEqualTo(sent);
        }
        metrics.awaitValue("parley_deliveries_total", READERS * MESSAGES);
        assertThat(metrics.value(CONNECTED)).isEqualTo(READERS);
        readers.forEach(SseReader::close);
        metrics.awaitValue(CONNECTED, 0);
    }

    @Test
    void messagesOfConcurrentPublishers_arriveInOneOrderAtEveryReader() {
        List<SseReader> readers = open(20, "/events");

        ExecutorService publishers = Executors.newFixedThreadPool(8);
        try {
            List<Future<Http.Answer>> answers =
                    IntStream.range(0, MESSAGES)
                            .mapToObj(i -> publishers.submit(() -> http.sendForm("message " + i)))
                            .toList();
            assertThat(answers)
                    .allSatisfy(
                            answer ->
                                    assertThat(answer.get().status()).as("publish").isEqualTo(200));
        } finally {
            publishers.shutdownNow();
        }

        List<Event> first = readers.get(0).awaitMessages(MESSAGES).events();
        assertThat(first.stream().map(FanOutIT::offset))
                .containsExactlyElementsOf(IntStream.rangeClosed(1, MESSAGES).boxed().toList());
        assertThat(first).extracting(Event::data).doesNotHaveDuplicates();
        for (SseReader reader : readers) {
            assertThat(reader.awaitMessages(MESSAGES).events()).isEqualTo(first);
            reader.close();
        }
    }

    @Test
    void readersThatLeaveDuringMessages_areNoLongerCounted_andOthersMissNothing() {
        List<SseReader> leaving = open(30, "/events");
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

            List<String> received = staying.awaitMessages(texts.size()).data();
            assertThat(received.equals(texts)).as("all texts, in order").isTrue();
            metrics.awaitValue(CONNECTED, 1);
            assertThat(pod.log()).doesNotContain("ERROR").doesNotContain("WARN");
        }
    }

    private List<SseReader> open(int count, String path) {
        List<SseReader> readers =
                IntStream.range(0, count)
                        .mapToObj(i -> SseReader.to(pod.uri(path)).open())
                        .toList();
        readers.forEach(SseReader::awaitLastEventId);
        return readers;
    }

    /** Publishes a text and returns the event that readers must get. */
    private Event send(String text) {
        return new Event(http.sendForm(text).header("Event-Id"), "message", text);
    }

    private static int offset(Event event) {
        return Integer.parseInt(event.id().substring(event.id().indexOf('-') + 1));
    }
}
