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

    /**
     * The longest form of a control character. In JSON its escape has six bytes; in an event stream
     * a line feed is followed by {@code data: }.
     */
    private static final int CONTROL_BYTES = 7;

    /** The JSON form of a quotation mark or a backslash. */
    private static final int ESCAPED_BYTES = 2;

    /**
     * The JSON form of NEL, LS and PS, and of half a surrogate pair, which Jackson escapes where it
     * writes bytes. The pair has four bytes elsewhere.
     */
    private static final int UNICODE_ESCAPE_BYTES = 6;

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
     * Returns the bytes that the message's values take at most when it is encoded in UTF-8, as JSON
     * or in an event stream, beside the names of the fields: a text of control characters takes
     * several times its length.
     */
    public static long encoded(Message message) {
        return encoded(message.text())
                + message.room().name().length()
                + message.from().map(MessageSize::encoded).orElse(0L)
                + message.event().map(event -> encoded(event.name())).orElse(0L);
    }

    /** Returns the bytes that a text takes at most when it is encoded. */
    public static long encoded(String text) {
        return text.chars().mapToLong(c -> encoded((char) c)).sum();
    }

    private static int encoded(char unit) {
        if (unit < ' ') {
            return CONTROL_BYTES;
        }
        if (unit == '"' || unit == '\\') {
            return ESCAPED_BYTES;
        }
        if (unit < 0x80) {
            return 1;
        }
        if (Character.isSurrogate(unit) || isLineEndOfSomePrograms(unit)) {
            return UNICODE_ESCAPE_BYTES;
        }
        return unit < 0x800 ? 2 : 3;
    }

    /** Tells whether {@link MessageJson#write} escapes a letter that JSON allows as it is. */
    private static boolean isLineEndOfSomePrograms(char unit) {
        return unit == '\u0085' || unit == '\u2028' || unit == '\u2029';
    }
}
