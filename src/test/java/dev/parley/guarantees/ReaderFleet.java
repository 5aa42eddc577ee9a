package dev.parley.guarantees;

import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import java.io.Closeable;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Reconnecting readers of one room, and assertions about what all of them received. */
final class ReaderFleet implements Closeable {

    private final List<SseReader> readers = new ArrayList<>();

    /**
     * Opens readers and waits until each knows its position in the room.
     *
     * @param uri gives the stream's address before each connection
     */
    ReaderFleet(int count, Supplier<URI> uri) {
        for (int i = 0; i < count; i++) {
            readers.add(SseReader.to(uri).reconnecting().open());
        }
        readers.forEach(reader -> reader.awaitConnected().awaitLastEventId());
    }

    List<SseReader> readers() {
        return readers;
    }

    /**
     * Waits until each reader has this number of messages, and asserts that all readers received
     * exactly the published texts, in one common order.
     */
    void assertAllReceived(List<String> published) {
        for (SseReader reader : readers) {
            reader.awaitMessages(published.size());
            assertThat(reader.data()).doesNotHaveDuplicates().hasSameSizeAs(published);
        }
        List<Event> first = readers.get(0).messages();
        assertThat(first.stream().map(Event::data)).containsExactlyInAnyOrderElementsOf(published);
        for (SseReader reader : readers) {
            assertThat(reader.messages()).isEqualTo(first);
        }
    }

    /** Asserts that no reader received an event of this type. */
    void assertNoneReceived(String type) {
        assertThat(readers).allSatisfy(reader -> assertThat(reader.events(type)).isEmpty());
    }

    /**
     * Asserts that each reader received each publisher's texts in the order in which they were
     * published.
     *
     * @param published texts such as {@code 3-17}: publisher and number
     */
    void assertOrderPerPublisher(List<String> published) {
        var expected = published.stream().collect(groupingBy(ReaderFleet::publisher));
        for (SseReader reader : readers) {
            assertThat(reader.data().stream().collect(groupingBy(ReaderFleet::publisher)))
                    .isEqualTo(expected);
        }
    }

    private static String publisher(String text) {
        return text.substring(0, text.indexOf('-'));
    }

    @Override
    public void close() {
        readers.forEach(SseReader::close);
    }
}
