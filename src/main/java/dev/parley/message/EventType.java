package dev.parley.message;

import java.util.Set;

/**
 * The type under which a browser dispatches a message, the {@code event} field of the stream
 * (WHATWG HTML §9.2.6).
 *
 * @param name 1 to 64 characters without NUL, CR, LF or other control characters. {@code open} and
 *     {@code error} are refused, since a page could not tell them from the connection's own events;
 *     {@code gap}, {@code resumed} and {@code goodbye} because they are the stream's control
 *     events.
 */
public record EventType(String name) {

    private static final Set<String> RESERVED =
            Set.of("open", "error", "gap", "resumed", "goodbye");

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
            throw new InvalidRequest(
                    "bad-event",
                    "bad event: "
                            + String.join(", ", RESERVED.stream().sorted().toList())
                            + " are reserved");
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
