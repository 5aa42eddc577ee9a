package dev.parley.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.message.EventId;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import dev.parley.testsupport.TestRoom;
import dev.parley.testsupport.Timeouts;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Many readers get every message in one order, while others leave. */
class FanOutIT {

    private static final int READERS = 200;
    private static final int MESSAGES = 200;
    private static final String DELIVERIES = "parley_deliveries_total";
    private static final String CONNECTED = "parley_connected_clients";

    @AutoClose private static final ParleyProcess pod = ParleyProcess.start().awaitReady();
    private static final Http http = new Http(pod.uri());
    private static final Metrics metrics = new Metrics(pod);

    private final TestRoom room = TestRoom.newAt(pod, http);
    private final List<SseReader> readers = new ArrayList<>();

    @AfterEach
    void closeReaders() {
        readers.forEach(SseReader::close);
        metrics.awaitValue(CONNECTED, 0);
    }

    @Test
    void manyReaders_getEveryMessageInOrder() {
        open(READERS);
        double before = metrics.value(DELIVERIES);

        List<Event> sent =
                IntStream.range(0, MESSAGES).mapToObj(i -> send("message " + i)).toList();

        for (SseReader reader : readers) {
            assertThat(reader.awaitMessages(MESSAGES).events()).isEqualTo(sent);
        }
        metrics.awaitValue(DELIVERIES, before + READERS * MESSAGES);
        assertThat(metrics.value(CONNECTED)).isEqualTo(READERS);
        readers.forEach(SseReader::close);
        metrics.awaitValue(CONNECTED, 0);
    }

    @Test
    void messagesOfConcurrentPublishers_arriveInOneOrderAtEveryReader() {
        open(20);

        ExecutorService publishers = Executors.newFixedThreadPool(8);
        try {
            List<Future<String>> ids =
                    IntStream.range(0, MESSAGES)
                            .mapToObj(i -> publishers.submit(() -> room.publish("message " + i)))
                            .toList();
            assertThat(ids).allSatisfy(id -> assertThat(id).succeedsWithin(Timeouts.LIMIT));
        } finally {
            publishers.shutdownNow();
        }

        List<Event> first = readers.get(0).awaitMessages(MESSAGES).events();
        assertThat(first.stream().map(FanOutIT::offset))
                .containsExactlyElementsOf(IntStream.rangeClosed(1, MESSAGES).boxed().toList());
        assertThat(first).extracting(Event::data).doesNotHaveDuplicates();
        for (SseReader reader : readers) {
            assertThat(reader.awaitMessages(MESSAGES).events()).isEqualTo(first);
        }
    }

    @Test
    void readersThatLeaveDuringMessages_areNoLongerCounted_andOthersMissNothing() {
        List<SseReader> leaving = open(30);
        try (SseReader staying = room.subscribe()) {
            List<String> texts =
                    IntStream.range(0, 30).mapToObj(i -> i + "x".repeat(10_000)).toList();

            for (int i = 0; i < texts.size(); i++) {
                room.publish(texts.get(i));
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

    /** Opens this many readers, which are closed after the test. */
    private List<SseReader> open(int count) {
        for (int i = 0; i < count; i++) {
            readers.add(SseReader.open(pod.uri("/events?room=" + room.name())));
        }
        readers.forEach(SseReader::awaitLastEventId);
        return readers;
    }

    /** Publishes a text and returns the event that readers must get. */
    private Event send(String text) {
        return new Event(room.publish(text), "message", text);
    }

    private static int offset(Event event) {
        return Math.toIntExact(EventId.parse(event.id()).orElseThrow().offset());
    }
}
