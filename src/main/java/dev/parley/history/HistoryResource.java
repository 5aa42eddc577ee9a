package dev.parley.history;

import dev.parley.broker.Broker;
import dev.parley.broker.Range;
import dev.parley.message.EventId;
import dev.parley.message.InvalidRequest;
import dev.parley.message.Room;
import io.smallrye.mutiny.Uni;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.jspecify.annotations.Nullable;

/** Reading what was said. */
@Path("/rooms/{room}/messages")
public final class HistoryResource {

    private static final int DEFAULT_LIMIT = 50;
    private static final int MAX_LIMIT = 500;

    private final Broker broker;

    HistoryResource(Broker broker) {
        this.broker = broker;
    }

    @GET
    @Produces(MediaType.APPLICATION_JSON)
    @Operation(summary = "Read a page of a room's history, oldest message first")
    public Uni<HistoryPage> messages(
            @PathParam("room") String room,
            @QueryParam("limit") @Parameter(description = "messages at most, 50 by default")
                    @Nullable String limit,
            @QueryParam("before") @Parameter(description = "an id: the messages just before it")
                    @Nullable String before,
            @QueryParam("after") @Parameter(description = "an id: the messages just after it")
                    @Nullable String after) {
        var name = new Room(room);
        int count = limit(limit);
        if (before != null && after != null) {
            throw new InvalidRequest("bad query: before or after is expected, not both");
        }
        if (after != null) {
            return after(name, position("after", after), count);
        }
        if (before != null) {
            return before(name, position("before", before), count);
        }
        return broker.read(name, Range.newest(count))
                .map(page -> HistoryPage.of(name, page, false));
    }

    /** A position that the log does not continue starts at the beginning, and there is a gap. */
    private Uni<HistoryPage> after(Room room, EventId position, int count) {
        return broker.read(room, new Range.After(position.offset(), count))
                .flatMap(
                        page ->
                                page.continues(position)
                                        ? Uni.createFrom().item(HistoryPage.of(room, page, false))
                                        : broker.read(room, new Range.After(0, count))
                                                .map(first -> HistoryPage.of(room, first, true)));
    }

    private Uni<HistoryPage> before(Room room, EventId position, int count) {
        return broker.read(room, new Range.Before(Math.max(1, position.offset()), count))
                .map(page -> HistoryPage.before(position, room, page));
    }

    private static int limit(@Nullable String limit) {
        if (limit == null) {
            return DEFAULT_LIMIT;
        }
        if (!limit.matches("[0-9]{1,3}")
                || Integer.parseInt(limit) < 1
                || Integer.parseInt(limit) > MAX_LIMIT) {
            throw new InvalidRequest("bad limit: a number from 1 to " + MAX_LIMIT + " is expected");
        }
        return Integer.parseInt(limit);
    }

    private static EventId position(String name, String written) {
        return EventId.parse(written)
                .orElseThrow(
                        () ->
                                new InvalidRequest(
                                        "bad "
                                                + name
                                                + ": an event id such as k3f9-42 is expected"));
    }
}
