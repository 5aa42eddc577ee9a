package dev.parley.message;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * A text that was published in a room, with its sender and time. An instance is always valid.
 *
 * @param room the room it belongs to
 * @param text any Unicode text that is not empty; its line ends are LF only
 * @param from name of the sender; one line of 1 to 64 UTF-16 units
 * @param verified whether a token proved that the sender is {@code from}; otherwise the publisher
 *     may have chosen any name
 * @param event the event type that a browser dispatches it as, {@code message} when empty
 * @param at when the broker accepted it, to the millisecond; before that, when the pod received it
 * @param ttl how long after {@code at} it is read and replayed, whole seconds, at least one; if
 *     empty, for as long as its room's history keeps it
 */
public record Message(
        Room room,
        String text,
        Optional<String> from,
        boolean verified,
        Optional<EventType> event,
        Instant at,
        Optional<Duration> ttl) {

    /** Longest {@code from}, in UTF-16 units. */
    public static final int MAX_FROM = 64;

    /**
     * @throws InvalidRequest if the text is empty, {@code from} is empty, too long, or contains
     *     control characters or line separators, or {@code ttl} is not one of the durations above
     * @throws IllegalArgumentException if it is verified and has no {@code from}
     */
    public Message {
        text = withLineFeeds(text);
        if (text.isEmpty()) {
            throw new InvalidRequest("msg-missing", "msg missing");
        }
        if (verified && from.isEmpty()) {
            throw new IllegalArgumentException("a verified message has a sender");
        }
        from.ifPresent(Message::checkFrom);
        ttl.ifPresent(Message::checkTtl);
    }

    /** Makes a message whose sender is not verified. */
    public Message(
            Room room,
            String text,
            Optional<String> from,
            Optional<EventType> event,
            Instant at,
            Optional<Duration> ttl) {
        this(room, text, from, false, event, at, ttl);
    }

    /** Makes a message that is read for as long as its room's history keeps it. */
    public Message(
            Room room, String text, Optional<String> from, Optional<EventType> event, Instant at) {
        this(room, text, from, event, at, Optional.empty());
    }

    /** Makes a message without a sender and without an event type. */
    public static Message of(Room room, String text, Instant at) {
        return new Message(room, text, Optional.empty(), Optional.empty(), at);
    }

    /**
     * Returns the same message from a sender who was verified.
     *
     * @throws InvalidRequest if the name is not valid
     */
    public Message verifiedFrom(String name) {
        return new Message(room, text, Optional.of(name), true, event, at, ttl);
    }

    /**
     * Returns when the message expires; from then on it is neither in the history nor replayed.
     * Empty if it has no {@code ttl}.
     */
    public Optional<Instant> expires() {
        return ttl.map(at::plus);
    }

    private static void checkTtl(Duration ttl) {
        if (ttl.toSeconds() < 1 || ttl.toNanosPart() != 0) {
            throw new InvalidRequest(
                    "bad-ttl", "bad ttl: a whole number of seconds is expected, 1 or more");
        }
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

    /**
     * Tells whether a character is a control character or a line separator, which {@code from} does
     * not contain.
     */
    public static boolean isControl(int c) {
        return Character.isISOControl(c) || c == '\u2028' || c == '\u2029';
    }

    /**
     * A message that a broker has accepted, with its position in the room's log.
     *
     * @param id offset 1 or more
     */
    public record StoredMessage(EventId id, Message message) {

        /**
         * Returns the message's number in its room's log, 1 or more. Offsets go on when an epoch
         * follows another.
         */
        public long offset() {
            return id.offset();
        }
    }
}
