package dev.parley.events;

import dev.parley.delivery.StartPosition;
import dev.parley.delivery.SubscribeRequest;
import dev.parley.log.Format;
import dev.parley.message.EventId;
import dev.parley.message.InvalidRequest;
import dev.parley.message.Room;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.QueryParam;
import java.util.Optional;
import java.util.regex.Pattern;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.jspecify.annotations.Nullable;

/** What a reader asks for. */
public final class EventsQuery {

    private static final int MAX_HISTORY = 1_000_000;

    private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");

    /** Longest part of an unknown id that is told back. */
    private static final int MAX_REQUESTED = 128;

    @QueryParam("room")
    @Parameter(description = "room to read, lobby by default")
    @Nullable String room;

    @QueryParam("format")
    @Parameter(description = "text (default): data is the text; json: data is the whole message")
    @Nullable String format;

    @QueryParam("history")
    @Parameter(description = "how many of the newest messages to begin with, 0 by default")
    @Nullable String history;

    @HeaderParam("Last-Event-ID")
    @Parameter(description = "id of the last message received: the stream goes on after it")
    @Nullable String lastEventIdHeader;

    @QueryParam("lastEventId")
    @Parameter(description = "the same, for those who cannot set a header; the header wins")
    @Nullable String lastEventId;

    /**
     * @throws InvalidRequest if it asks for what there can never be
     */
    SubscribeRequest subscribeRequest(String address) {
        return new SubscribeRequest(room(), start(), format(), address);
    }

    private Room room() {
        return room == null ? Room.LOBBY : new Room(room);
    }

    private Format format() {
        return switch (format == null ? "text" : format) {
            case "text" -> Format.TEXT;
            case "json" -> Format.JSON;
            default -> throw new InvalidRequest("bad format: text or json is expected");
        };
    }

    private StartPosition start() {
        int count = historyCount();
        return given(lastEventIdHeader)
                .or(() -> given(lastEventId))
                .map(EventsQuery::after)
                .orElseGet(
                        () ->
                                count == 0
                                        ? new StartPosition.Tail()
                                        : new StartPosition.Newest(count));
    }

    /** An empty id is none: it is what a browser has before the first. */
    private static Optional<String> given(@Nullable String id) {
        return Optional.ofNullable(id).filter(written -> !written.isEmpty());
    }

    private int historyCount() {
        if (history == null) {
            return 0;
        }
        if (!history.matches("[0-9]{1,7}") || Integer.parseInt(history) > MAX_HISTORY) {
            throw new InvalidRequest(
                    "bad history: a number from 0 to " + MAX_HISTORY + " is expected");
        }
        return Integer.parseInt(history);
    }

    private static StartPosition after(String id) {
        Optional<EventId> position = EventId.parse(id);
        if (position.isPresent()) {
            return new StartPosition.After(position.get());
        }
        String line = CONTROL.matcher(id).replaceAll("?");
        return new StartPosition.Unknown(line.substring(0, Math.min(line.length(), MAX_REQUESTED)));
    }
}
