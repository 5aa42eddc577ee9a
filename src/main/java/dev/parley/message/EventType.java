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

    /** A space to JavaScript. */
    private static final char BYTE_ORDER_MARK = '\uFEFF';

    /**
     * @throws InvalidRequest if the name does not have the form above
     */
    public EventType {
        if (name.isEmpty()
                || name.length() > 64
                || name.chars().anyMatch(Character::isISOControl)) {
            throw malformed();
        }
        if (RESERVED.contains(name)) {
            throw reserved();
        }
    }

    /**
     * Returns the type that a publisher chose for a new message. Also refuses {@code position},
     * {@code heartbeat} and {@code denied}, and each reserved name with spaces around it, all of
     * which the constructor accepts because stored messages may have them. Some client libraries
     * drop these spaces: to them {@code " gap"} would be an event of Parley. For the same reason it
     * refuses LS and PS, at which some programs end a line: what follows would be a field of the
     * publisher's own.
     *
     * @throws InvalidRequest if the name does not have the form above, or is reserved
     */
    public static EventType chosen(String name) {
        if (name.chars().anyMatch(Message::isControl)) {
            throw malformed();
        }
        String shown = withoutSpacesAround(name);
        if (RESERVED.contains(shown) || RESERVED_LATER.contains(shown)) {
            throw reserved();
        }
        return new EventType(name);
    }

    /** Drops what JavaScript's {@code trim} or another one would. */
    private static String withoutSpacesAround(String name) {
        int start = 0;
        int end = name.length();
        while (start < end && isSpace(name.charAt(start))) {
            start++;
        }
        while (start < end && isSpace(name.charAt(end - 1))) {
            end--;
        }
        return name.substring(start, end);
    }

    private static boolean isSpace(char c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == BYTE_ORDER_MARK;
    }

    private static InvalidRequest malformed() {
        return new InvalidRequest(
                "bad-event",
                "bad event: a type is 1 to 64 characters without control characters and line"
                        + " separators");
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
