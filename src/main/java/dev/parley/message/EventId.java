package dev.parley.message;

import java.util.Optional;

/**
 * The position of a message in its room's log, written {@code <epoch>-<offset>}, such as {@code
 * k3f9-42}. Offsets count a room's messages 1, 2, 3 … without holes; the epoch names one server's
 * turn at counting them, so that the id of a message that was lost is not given to another one.
 * Offset 0 is the position before the first message.
 *
 * <p>The written form stays within {@code [0-9a-z-]} and below 128 characters. A longer {@code
 * Last-Event-ID}, or one with certain other characters, makes a browser send a CORS preflight
 * before a cross-origin reconnect (Fetch Standard, "CORS-unsafe request-header byte").
 *
 * @param epoch 1 to 32 lower-case ASCII letters and digits
 * @param offset 0 or more
 */
public record EventId(String epoch, long offset) {

    /** Longest epoch, in characters. */
    private static final int MAX_EPOCH = 32;

    /** Most digits of an offset. A number with no more digits fits into a long. */
    private static final int MAX_DIGITS = 18;

    /**
     * @throws IllegalArgumentException if the epoch or the offset does not have the form above
     */
    public EventId {
        if (!isEpoch(epoch)) {
            throw new IllegalArgumentException("epoch is not 1 to 32 of [0-9a-z]: " + epoch);
        }
        if (offset < 0) {
            throw new IllegalArgumentException("offset is negative: " + offset);
        }
    }

    /**
     * Reads a written id.
     *
     * @return the id; empty if the text does not have the form above, or its offset has more than
     *     18 digits
     */
    public static Optional<EventId> parse(String written) {
        int hyphen = written.indexOf('-');
        if (hyphen < 0) {
            return Optional.empty();
        }
        String epoch = written.substring(0, hyphen);
        String offset = written.substring(hyphen + 1);
        return isEpoch(epoch) && isOffset(offset)
                ? Optional.of(new EventId(epoch, Long.parseLong(offset)))
                : Optional.empty();
    }

    /**
     * Tells whether a text is an epoch. A loop and not a regular expression: this runs for each
     * message received.
     */
    private static boolean isEpoch(String text) {
        if (text.isEmpty() || text.length() > MAX_EPOCH) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!isDigit(c) && (c < 'a' || c > 'z')) {
                return false;
            }
        }
        return true;
    }

    private static boolean isOffset(String text) {
        if (text.isEmpty() || text.length() > MAX_DIGITS) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            if (!isDigit(text.charAt(i))) {
                return false;
            }
        }
        return text.charAt(0) != '0' || text.length() == 1;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    /** Returns the number of characters of the written form. */
    public int length() {
        int digits = 1;
        for (long rest = offset; rest >= 10; rest /= 10) {
            digits++;
        }
        return epoch.length() + 1 + digits;
    }

    @Override
    public String toString() {
        return epoch + '-' + offset;
    }
}
