package dev.parley.message;

import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The type under which a browser dispatches a message, the {@code event} field of the stream
 * (WHATWG HTML §9.2.6).
 *
 * @param name 1 to 64 UTF-16 units without NUL, CR, LF or other control characters. {@code open}
 *     and {@code error} are refused, because a page could not tell them from the events that its
 *     EventSource dispatches about the connection; {@code gap}, {@code resumed} and {@code goodbye}
 *     are refused because Parley writes events of these types to streams.
 */
public record EventType(String name) {

    private static final Set<String> RESERVED =
            Set.of("open", "error", "gap", "resumed", "goodbye");

    /**
     * Types that Parley began to write when publishers could already use them. A new message may
     * not have one of them; a message that was stored earlier keeps its type.
     */
    private static final Set<String> RESERVED_LATER = Set.of("position", "heartbeat", "denied");

    /**
     * @throws InvalidRequest if the name does not have the form above
     */
    public EventType {
        if (name.isEmpty()
                || name.length() > 64
                || name.chars().anyMatch(Character::isISOControl)) {
            throw new InvalidRequest(
                    "bad-event",
                    "bad event: a type is 1 to 64 characters without control characters");
        }
        if (RESERVED.contains(name)) {
            throw reserved();
        }
    }

    /**
     * Returns the type that a publisher chose for a new message. Also refuses {@code position},
     * {@code heartbeat} and {@code denied}, which the constructor accepts because stored messages
     * may have them.
     *
     * @throws InvalidRequest if the name does not have the form above, or is reserved
     */
    public static EventType chosen(String name) {
        if (RESERVED_LATER.contains(name)) {
            throw reserved();
        }
        return new EventType(name);
    }

    private static InvalidRequest reserved() {
        String names =
                Stream.concat(RESERVED.stream(), RESERVED_LATER.stream())
                        .sorted()
                        .collect(Collectors.joining(", "));
        return new InvalidRequest("bad-event", "bad event: " + names + " are reserved");
    }

    @Override
    public String toString() {
        return name;
    }
}
