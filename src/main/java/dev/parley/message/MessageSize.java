package dev.parley.message;

import java.util.Optional;

/**
 * Estimates what a message takes, so that bounds in bytes bound memory whatever its fields are: the
 * sender and the event type of a message with one letter may be hundreds of bytes.
 */
public final class MessageSize {

    /** An {@link Optional}, a string and its array, and an object around the string. */
    private static final int FIELD_BYTES = 72;

    /** An {@link Optional} and a duration. */
    private static final int TTL_BYTES = 40;

    private MessageSize() {}

    /**
     * Returns the bytes of heap that the message's values take, beside the objects that every
     * message has: two for each UTF-16 unit.
     */
    public static long heap(Message message) {
        return 2L * message.text().length()
                + message.room().name().length()
                + heap(message.from())
                + heap(message.event().map(EventType::name))
                + (message.ttl().isPresent() ? TTL_BYTES : 0);
    }

    private static long heap(Optional<String> field) {
        return field.isEmpty() ? 0 : FIELD_BYTES + 2L * field.get().length();
    }

    /**
     * Returns the bytes of the message's values in UTF-8. Escapes and the names of the fields are
     * not counted.
     */
    public static long encoded(Message message) {
        return utf8Length(message.text())
                + message.room().name().length()
                + message.from().map(MessageSize::utf8Length).orElse(0L)
                + message.event().map(event -> utf8Length(event.name())).orElse(0L);
    }

    private static long utf8Length(String text) {
        // Each half of a surrogate pair is counted as two bytes, and the pair has four.
        return text.chars()
                .mapToLong(c -> c < 0x80 ? 1 : c < 0x800 || Character.isSurrogate((char) c) ? 2 : 3)
                .sum();
    }
}
