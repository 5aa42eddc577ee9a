package dev.parley.guarantees;

import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import java.util.HashMap;
import java.util.Map;

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

    /**
     * Asserts that no id has two texts, and that between two gaps offsets ascend by one: a gap
     * starts over, and messages that are still there have the ids that they had.
     */
    static void assertIdsAscend(SseReader reader) {
        Map<String, String> texts = new HashMap<>();
        long former = -1;
        for (Event event : reader.events()) {
            if (event.type().equals("gap")) {
                former = -1;
            } else if (event.type().equals("message")) {
                long offset = offset(event.id());
                assertThat(former).isIn(-1L, offset - 1);
                assertThat(texts.merge(event.id(), event.data(), (one, other) -> one))
                        .isEqualTo(event.data());
                former = offset;
            }
        }
    }

    /** The epoch of an id: in {@code k3f9-42} it is {@code k3f9}. */
    static String epoch(String id) {
        return id.substring(0, id.indexOf('-'));
    }

    private static long offset(String id) {
        return Long.parseLong(id.substring(id.indexOf('-') + 1));
    }
}
