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

/** Readers of one room that are compared with each other and with what was published. */
final class Audience implements Closeable {

    private final List<SseReader> readers = new ArrayList<>();

    /**
     * So many browsers, connected.
     *
     * @param uri asked before every connection
     */
    Audience(int count, Supplier<URI> uri) {
        for (int i = 0; i < count; i++) {
            readers.add(SseReader.to(uri).reconnecting().open());
        }
        readers.forEach(reader -> reader.awaitConnected().awaitLastEventId());
    }

    List<SseReader> readers() {
        return readers;
    }

    /** Waits until everybody has this many messages, and then that they are the right ones. */
    void assertGotAll(List<String> published) {
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

    void assertNobodyWasToldOf(String type) {
        assertThat(readers).allSatisfy(reader -> assertThat(reader.events(type)).isEmpty());
    }

    /**
     * Every reader has each publisher's texts in the order of their numbers, with none missing.
     *
     * @param published texts such as {@code 3-17}: publisher, number
     */
    void assertOrderOfEachPublisher(List<String> published) {
        var expected = published.stream().collect(groupingBy(Audience::publisher));
        for (SseReader reader : readers) {
            assertThat(reader.data().stream().collect(groupingBy(Audience::publisher)))
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
