package dev.parley.delivery;

import dev.parley.message.EventId;
import dev.parley.message.StreamPosition;
import java.util.Optional;

/** Where in a room's log a client asks to start. */
public sealed interface StartPosition {

    /** Returns the position as the client wrote it; empty if it gave none. */
    default Optional<String> requested() {
        return Optional.empty();
    }

    /**
     * Returns the position as it is written among those of other rooms; empty if the client gave
     * none.
     */
    default Optional<String> inStreamPosition() {
        return requested();
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

        /** A text that is no position may contain what separates positions. */
        @Override
        public Optional<String> inStreamPosition() {
            return Optional.of(StreamPosition.UNKNOWN);
        }
    }
}
