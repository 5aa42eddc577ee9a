package dev.parley.message;

import java.util.Optional;
import java.util.regex.Pattern;

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

    private static final Pattern EPOCH = Pattern.compile("[0-9a-z]{1,32}");
    private static final Pattern WRITTEN = Pattern.compile("([0-9a-z]{1,32})-(0|[1-9][0-9]{0,17})");

    /**
     * @throws IllegalArgumentException if the epoch or the offset does not have the form above
     */
    public EventId {
        if (!EPOCH.matcher(epoch).matches()) {
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
        var matcher = WRITTEN.matcher(written);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        return Optional.of(new EventId(matcher.group(1), Long.parseLong(matcher.group(2))));
    }

    @Override
    public String toString() {
        return epoch + '-' + offset;
    }
}
