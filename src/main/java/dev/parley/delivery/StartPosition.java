package dev.parley.delivery;

import dev.parley.message.EventId;
import java.util.Optional;

/** Where in a room's log a reader asks to begin. */
public sealed interface StartPosition {

    /** What the reader gave as its position; empty if it gave none. */
    default Optional<String> requested() {
        return Optional.empty();
    }

    /** With the next message. */
    record Tail() implements StartPosition {}

    /**
     * With the newest messages there are.
     *
     * @param count 1 or more
     */
    record Newest(long count) implements StartPosition {}

    /** After the last message that it received. */
    record After(EventId position) implements StartPosition {

        @Override
        public Optional<String> requested() {
            return Optional.of(position.toString());
        }
    }

    /**
     * After something that is not a position in any log.
     *
     * @param written by the reader, one line without NUL
     */
    record Unknown(String written) implements StartPosition {

        @Override
        public Optional<String> requested() {
            return Optional.of(written);
        }
    }
}
