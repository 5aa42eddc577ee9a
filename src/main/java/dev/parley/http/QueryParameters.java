package dev.parley.http;

import dev.parley.message.EventId;
import org.jspecify.annotations.Nullable;

/** Parses the parameters that more than one call has. */
public final class QueryParameters {

    private QueryParameters() {}

    /**
     * Parses a number within bounds.
     *
     * @param written the parameter as it was sent; null if it was not
     * @param absent the number if it was not sent
     * @throws RefusedRequest if it is anything but digits, or out of bounds
     */
    public static int number(
            ErrorCode code, String name, @Nullable String written, int min, int max, int absent) {
        if (written == null) {
            return absent;
        }
        if (written.matches("[0-9]{1,9}") && written.length() <= Integer.toString(max).length()) {
            int number = Integer.parseInt(written);
            if (number >= min && number <= max) {
                return number;
            }
        }
        throw new RefusedRequest(
                code, "bad %s: a number from %d to %d is expected".formatted(name, min, max));
    }

    /**
     * Parses the id of a message.
     *
     * @throws RefusedRequest if it is not one
     */
    public static EventId eventId(String name, String written) {
        return EventId.parse(written)
                .orElseThrow(
                        () ->
                                new RefusedRequest(
                                        ErrorCode.BAD_EVENT_ID,
                                        "bad %s: an event id such as k3f9-42 is expected"
                                                .formatted(name)));
    }
}
