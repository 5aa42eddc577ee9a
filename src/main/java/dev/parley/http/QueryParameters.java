package dev.parley.http;

import dev.parley.message.EventId;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Parses the parameters that more than one call has. */
public final class QueryParameters {

    private QueryParameters() {}

    /** Returns the first value that is not empty; null if there is none. */
    public static @Nullable String first(Map<String, List<String>> fields, String name) {
        for (String value : fields.getOrDefault(name, List.of())) {
            if (!value.isEmpty()) {
                return value;
            }
        }
        return null;
    }

    /**
     * Returns the values that are not empty. An empty one counts as absent: a form sends its empty
     * inputs too, and a page may add a parameter for which it has no value.
     */
    public static List<String> given(Map<String, List<String>> fields, String name) {
        List<String> values = fields.getOrDefault(name, List.of());
        return values.contains("")
                ? values.stream().filter(value -> !value.isEmpty()).toList()
                : List.copyOf(values);
    }

    /**
     * Parses a number within bounds.
     *
     * @param code the error of the refusal
     * @param name the parameter's name, for the text of the refusal
     * @param written the parameter as it was sent; null if it was not
     * @param min the least value, inclusive
     * @param max the greatest value, inclusive
     * @param absent the number if it was not sent
     * @throws RefusedRequest if it is anything but digits, or out of bounds
     */
    public static int number(
            ErrorCode code, String name, @Nullable String written, int min, int max, int absent) {
        if (written == null) {
            return absent;
        }
        if (written.matches("[0-9]{1,9}")) {
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
