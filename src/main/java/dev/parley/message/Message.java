package dev.parley.message;

import java.time.Instant;
import java.util.Optional;

/**
 * A text that was published in a room, with its sender and time. An instance is always valid.
 *
 * @param room the room it belongs to
 * @param text any Unicode text that is not empty; its line ends are LF only
 * @param from name of the sender as the publisher gave it, not verified; one line of 1 to 64 UTF-16
 *     units
 * @param event the event type that a browser dispatches it as, {@code message} when empty
 * @param at when the broker accepted it, to the millisecond; before that, when the pod received it
 */
public record Message(
        Room room, String text, Optional<String> from, Optional<EventType> event, Instant at) {

    /** Longest {@code from}, in UTF-16 units. */
    public static final int MAX_FROM = 64;

    /**
     * @throws InvalidRequest if the text is empty, or {@code from} is empty, too long, or contains
     *     control characters or line separators
     */
    public Message {
        text = withLineFeeds(text);
        if (text.isEmpty()) {
            throw new InvalidRequest("msg-missing", "msg missing");
        }
        from.ifPresent(Message::checkFrom);
    }

    /** Makes a message without a sender and without an event type. */
    public static Message of(Room room, String text, Instant at) {
        return new Message(room, text, Optional.empty(), Optional.empty(), at);
    }

    /**
     * Replaces every CRLF and every lone CR by LF, because a client cannot tell the three apart:
     * each ends a line of an event stream (WHATWG HTML §9.2.5, end-of-line).
     */
    private static String withLineFeeds(String text) {
        if (text.indexOf('\r') < 0) {
            return text;
        }
        return text.replace("\r\n", "\n").replace('\r', '\n');
    }

    private static void checkFrom(String from) {
        if (from.isEmpty()
                || from.length() > MAX_FROM
                || from.chars().anyMatch(Message::isControl)) {
            throw new InvalidRequest(
                    "bad-from",
                    "bad from: a name is 1 to "
                            + MAX_FROM
                            + " characters without control characters");
        }
    }

    private static boolean isControl(int c) {
        return Character.isISOControl(c) || c == '\u2028' || c == '\u2029';
    }
}
