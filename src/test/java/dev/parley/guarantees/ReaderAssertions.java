package dev.parley.guarantees;

import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import java.util.List;

/** Assertions about what one reader received. */
final class ReaderAssertions {

    private ReaderAssertions() {}

    /**
     * Asserts that the reader received the numbers 1 … last and nothing else, on one connection.
     */
    static void assertOnlyNumbers(SseReader reader, int last) {
        reader.awaitMessages(last);
        assertThat(reader.data()).isEqualTo(numbers(1, last));
        assertThat(reader.events()).hasSize(last);
        assertThat(reader.connections()).isOne();
    }

    /** Asserts that no id occurs twice, and that offsets of one epoch ascend by one. */
    static void assertIdsAscend(SseReader reader) {
        List<Event> messages = reader.messages();
        for (int i = 1; i < messages.size(); i++) {
            String former = messages.get(i - 1).id();
            String latter = messages.get(i).id();
            if (epoch(former).equals(epoch(latter))) {
                assertThat(offset(latter)).isEqualTo(offset(former) + 1);
            }
        }
        assertThat(messages).extracting(Event::id).doesNotHaveDuplicates();
    }

    /** The epoch of an id: in {@code k3f9-42} it is {@code k3f9}. */
    static String epoch(String id) {
        return id.substring(0, id.indexOf('-'));
    }

    private static long offset(String id) {
        return Long.parseLong(id.substring(id.indexOf('-') + 1));
    }
}
