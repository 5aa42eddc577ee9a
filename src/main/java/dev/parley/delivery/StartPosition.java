package dev.parley.delivery;

import dev.parley.message.EventId;
import java.util.Optional;

/** Where in a room's log a client asks to start. */
public sealed interface StartPosition {

    /** Returns the position as the client wrote it; empty if it gave none. */
    default Optional<String> requested() {
        return Optional.empty();
    }

    /** Starts with the next message. */
    record Tail() implements StartPosition {}

    /**
     * Starts with the newest messages that are retained.
     *
     * @param count how many of them, 1 or more
     */
    record Newest(long count) implements StartPosition {}

    /** Starts after the last message that the client received. */
    record After(EventId position) implements StartPosition {

        @Override
        public Optional<String> requested() {
            return Optional.of(position.toString());
        }
    }

    /**
     * Starts after a text that is not an id. The client receives a gap.
     *
     * @param written the text, one line without NUL
     */
    record Unknown(String written) implements StartPosition {

        @Override
        public Optional<String> requested() {
            return Optional.of(written);
        }
    }
}
