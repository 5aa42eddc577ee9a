package dev.parley.events;

import dev.parley.delivery.StartPosition;
import dev.parley.delivery.SubscribeRequest;
import dev.parley.http.ErrorCode;
import dev.parley.http.QueryParameters;
import dev.parley.http.RefusedRequest;
import dev.parley.log.Format;
import dev.parley.message.EventId;
import dev.parley.message.Room;
import java.util.Arrays;
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
 * @param lastEventIdHeader id of the last message received; wins over the parameter
 * @param lastEventId the same for clients that cannot set a header
 */
record EventsQuery(
        @Nullable String room,
        @Nullable String format,
        @Nullable String history,
        @Nullable String lastEventIdHeader,
        @Nullable String lastEventId) {

    private static final int MAX_HISTORY = 1_000_000;

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
     * Checks the fields.
     *
     * @param address of the client
     * @throws RefusedRequest if a field is not valid
     * @throws dev.parley.message.InvalidRequest if the room is not valid
     */
    SubscribeRequest subscribeRequest(String address) {
        return new SubscribeRequest(
                room == null ? Room.LOBBY : new Room(room), start(), checkedFormat(), address);
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

    /** A position wins over a number of messages, which is checked all the same. */
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

    /** An empty id counts as absent: a browser has it before the first message. */
    private static Optional<String> given(@Nullable String id) {
        return Optional.ofNullable(id).filter(written -> !written.isEmpty());
    }

    /**
     * Returns where to go on after an id. Anything that is not an id is a position that no log
     * continues, so the reader gets {@code event: gap} instead of an error: an EventSource would
     * never come back after a 400.
     */
    private static StartPosition after(String id) {
        Optional<EventId> position = EventId.parse(id);
        if (position.isPresent()) {
            return new StartPosition.After(position.get());
        }
        String line = CONTROL.matcher(id).replaceAll("?");
        return new StartPosition.Unknown(line.substring(0, Math.min(line.length(), MAX_REQUESTED)));
    }
}
