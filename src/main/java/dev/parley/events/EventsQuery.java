package dev.parley.events;

import dev.parley.delivery.Heartbeat;
import dev.parley.delivery.StartPosition;
import dev.parley.delivery.SubscribeRequest;
import dev.parley.http.ErrorCode;
import dev.parley.http.QueryParameters;
import dev.parley.http.RefusedRequest;
import dev.parley.log.Format;
import dev.parley.message.EventId;
import dev.parley.message.Room;
import jakarta.ws.rs.core.MultivaluedMap;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The fields of a request for a stream as the client wrote them, not checked yet; null if absent.
 *
 * @param room the room, the lobby if absent
 * @param format the name of a {@link Format} in lower case, text if absent
 * @param history how many of the newest messages to begin with, 0 if absent
 * @param heartbeats a number of seconds, {@code event}, both or neither
 * @param lastEventIdHeader id of the last message that the client received; if it is given, the
 *     parameter is ignored
 * @param lastEventId the same, for clients that cannot set a header; or {@code earliest}
 */
record EventsQuery(
        @Nullable String room,
        @Nullable String format,
        @Nullable String history,
        List<String> heartbeats,
        @Nullable String lastEventIdHeader,
        @Nullable String lastEventId) {

    /** Most messages that {@code history} can ask for: the most that a broker can retain. */
    private static final int MAX_HISTORY = 1_000_000;

    /** Bounds of the heartbeat that a client can ask for, in seconds. */
    private static final int MIN_HEARTBEAT = 2;

    private static final int MAX_HEARTBEAT = 60;

    /** Asks for heartbeats as events, which a page can see. */
    private static final String AS_EVENT = "event";

    /** Asks for everything that is retained. */
    private static final String EARLIEST = "earliest";

    /** The formats by the names that clients write. */
    private static final Map<String, Format> FORMATS =
            Arrays.stream(Format.values())
                    .collect(
                            Collectors.toMap(
                                    format -> format.name().toLowerCase(Locale.ROOT),
                                    format -> format,
                                    (one, other) -> one,
                                    TreeMap::new));

    private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");

    /** Longest part of an unknown id that {@code event: gap} repeats. */
    private static final int MAX_REQUESTED = 128;

    /**
     * Reads the fields.
     *
     * @param query the decoded parameters of the query
     */
    static EventsQuery read(
            MultivaluedMap<String, String> query, @Nullable String lastEventIdHeader) {
        String lastEventId = query.getFirst("lastEventId");
        return new EventsQuery(
                query.getFirst("room"),
                query.getFirst("format"),
                query.getFirst("history"),
                query.getOrDefault("heartbeat", List.of()),
                lastEventIdHeader,
                given(lastEventId).isPresent() ? lastEventId : query.getFirst("last_event_id"));
    }

    /**
     * Checks the fields.
     *
     * @param address the client's address
     * @throws RefusedRequest if a field is not valid
     * @throws dev.parley.message.InvalidRequest if the room is not valid
     */
    SubscribeRequest subscribeRequest(String address) {
        return new SubscribeRequest(
                room == null ? Room.LOBBY : new Room(room),
                start(),
                checkedFormat(),
                heartbeat(),
                address);
    }

    private Format checkedFormat() {
        Format known = format == null ? Format.TEXT : FORMATS.get(format);
        if (known == null) {
            throw new RefusedRequest(
                    ErrorCode.BAD_FORMAT,
                    "bad format: one of " + String.join(", ", FORMATS.keySet()) + " is expected");
        }
        return known;
    }

    private Heartbeat heartbeat() {
        List<String> pauses = heartbeats.stream().filter(one -> !one.equals(AS_EVENT)).toList();
        if (pauses.size() > 1 || heartbeats.size() - pauses.size() > 1) {
            throw new RefusedRequest(
                    ErrorCode.BAD_HEARTBEAT,
                    "bad heartbeat: a number of seconds and event are expected at most once each");
        }
        Optional<Duration> pause = pauses.stream().map(EventsQuery::pause).findFirst();
        return new Heartbeat(pause, heartbeats.size() > pauses.size());
    }

    private static Duration pause(String written) {
        if (!written.matches("[0-9]{1,2}")) {
            throw badPause();
        }
        int seconds = Integer.parseInt(written);
        if (seconds < MIN_HEARTBEAT || seconds > MAX_HEARTBEAT) {
            throw badPause();
        }
        return Duration.ofSeconds(seconds);
    }

    private static RefusedRequest badPause() {
        return new RefusedRequest(
                ErrorCode.BAD_HEARTBEAT,
                "bad heartbeat: a number of seconds from %d to %d, or event, is expected"
                        .formatted(MIN_HEARTBEAT, MAX_HEARTBEAT));
    }

    /**
     * Returns where to start: at the position if one is given, otherwise before the newest
     * messages. The number of messages is checked in both cases.
     */
    private StartPosition start() {
        int count =
                QueryParameters.number(
                        ErrorCode.BAD_HISTORY, "history", history, 0, MAX_HISTORY, 0);
        return given(lastEventIdHeader)
                .or(() -> given(lastEventId))
                .map(EventsQuery::after)
                .orElseGet(
                        () ->
                                count == 0
                                        ? new StartPosition.Tail()
                                        : new StartPosition.Newest(count));
    }

    /**
     * Returns an id that is given and not empty. An empty one counts as absent: it is a browser's
     * last event id before the first message.
     */
    private static Optional<String> given(@Nullable String id) {
        return Optional.ofNullable(id).filter(written -> !written.isEmpty());
    }

    /**
     * Returns where to continue after an id. A text that is not an id leads to {@code event: gap},
     * not to an error, because an EventSource does not reconnect after a 400.
     */
    private static StartPosition after(String id) {
        if (id.equals(EARLIEST)) {
            return new StartPosition.Newest(Long.MAX_VALUE);
        }
        Optional<EventId> position = EventId.parse(id);
        if (position.isPresent()) {
            return new StartPosition.After(position.get());
        }
        String line = CONTROL.matcher(id).replaceAll("?");
        return new StartPosition.Unknown(line.substring(0, Math.min(line.length(), MAX_REQUESTED)));
    }
}
