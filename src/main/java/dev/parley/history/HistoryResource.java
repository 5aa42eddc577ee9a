package dev.parley.history;

import dev.parley.access.AuthorizedRooms;
import dev.parley.access.AuthorizedRooms.ReadableRoom;
import dev.parley.access.TicketsResource;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.history.HistoryReader.Read;
import dev.parley.http.ErrorCode;
import dev.parley.http.PendingAnswers;
import dev.parley.http.QueryParameters;
import dev.parley.http.RefusedRequest;
import dev.parley.http.UrlEncodedForm;
import dev.parley.message.EventId;
import dev.parley.message.Room;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import java.util.Map;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.ParameterIn;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.jboss.resteasy.reactive.RestResponse;
import org.jspecify.annotations.Nullable;

/**
 * Reads a room's history in pages. {@code Event-Id} in the answer, which HEAD has too, is the
 * position of the room's newest message.
 */
@Path("/rooms/{room}/messages")
@SecurityRequirement(name = TicketsResource.TOKEN)
public final class HistoryResource {

    private static final int DEFAULT_LIMIT = 50;

    /** Most messages of a page. */
    static final int MAX_LIMIT = 500;

    /**
     * Counted until the length of the page is known, in bytes: a page of messages that are not very
     * short, as a broker returns it, is not longer.
     */
    private static final long LONG_PAGE = 320 * 1024;

    private final AuthorizedRooms rooms;
    private final PendingAnswers answers;

    HistoryResource(AuthorizedRooms rooms, PendingAnswers answers) {
        this.rooms = rooms;
        this.answers = answers;
    }

    /** Returns a page: after or before a position, or of the newest messages. */
    @GET
    @Produces(MediaType.APPLICATION_JSON)
    @Operation(
            summary = "Read a page of a room's history, oldest message first",
            description =
                    "before and after in the answer are ids for further requests: before is absent"
                            + " where there are no earlier messages. gap is true if messages next"
                            + " to the id in the request are gone. Where many messages in a row"
                            + " have expired (ttl), a page may be without messages and still have"
                            + " before, or an after other than Event-Id: read on from there.")
    @Parameter(
            name = "limit",
            in = ParameterIn.QUERY,
            description = "messages at most",
            schema =
                    @Schema(
                            type = SchemaType.INTEGER,
                            minimum = "1",
                            maximum = "" + MAX_LIMIT,
                            defaultValue = "" + DEFAULT_LIMIT))
    @Parameter(
            name = "before",
            in = ParameterIn.QUERY,
            description = "an id: the messages just before it",
            schema = @Schema(type = SchemaType.STRING))
    @Parameter(
            name = "after",
            in = ParameterIn.QUERY,
            description = "an id: the messages just after it",
            schema = @Schema(type = SchemaType.STRING))
    public Uni<RestResponse<HistoryPage>> messages(
            @PathParam("room") String room, @Context RoutingContext exchange) {
        ReadableRoom readable = rooms.readable(exchange, new Room(room));
        Map<String, List<String>> query = UrlEncodedForm.readQuery(exchange.request());
        String limit = QueryParameters.first(query, "limit");
        String before = QueryParameters.first(query, "before");
        String after = QueryParameters.first(query, "after");
        int count =
                QueryParameters.number(
                        ErrorCode.BAD_LIMIT, "limit", limit, 1, MAX_LIMIT, DEFAULT_LIMIT);
        if (before != null && after != null) {
            throw new RefusedRequest(
                    ErrorCode.BAD_REQUEST, "bad query: before or after is expected, not both");
        }
        EventId afterId = after == null ? null : QueryParameters.eventId("after", after);
        EventId beforeId = before == null ? null : QueryParameters.eventId("before", before);
        PendingAnswers.Reservation reserved = answers.reserve(exchange, LONG_PAGE);
        return page(readable, afterId, beforeId, count)
                .invoke(answer -> reserved.resize(answer.getEntity().length()));
    }

    private Uni<RestResponse<HistoryPage>> page(
            ReadableRoom room, @Nullable EventId after, @Nullable EventId before, int count) {
        if (after != null) {
            return readAfter(room, after, count);
        }
        if (before != null) {
            return readBefore(room, before, count);
        }
        return read(room, Range.newest(count))
                .map(Read::page)
                .map(page -> answer(room, page, false));
    }

    /**
     * Reads the messages after a position. If they were trimmed, or the position is not one of this
     * log, the page starts at the oldest message that is retained, and says that there is a gap. It
     * also says so if another program deleted the next ones; then it starts at the one after them.
     */
    private Uni<RestResponse<HistoryPage>> readAfter(
            ReadableRoom room, EventId position, int count) {
        return read(room, new Range.After(position.offset(), count))
                .flatMap(
                        read -> {
                            if (read.page().continues(position)) {
                                boolean isGap = HistoryPage.isGapAfter(position, read.first());
                                return Uni.createFrom().item(answer(room, read.page(), isGap));
                            }
                            return read(room, new Range.After(0, count))
                                    .map(oldest -> answer(room, oldest.page(), true));
                        });
    }

    private RestResponse<HistoryPage> answer(ReadableRoom room, Page page, boolean isGap) {
        return answer(page, HistoryPage.of(room.room(), page, isGap));
    }

    private Uni<RestResponse<HistoryPage>> readBefore(
            ReadableRoom room, EventId position, int count) {
        return read(room, new Range.Before(Math.max(1, position.offset()), count))
                .map(
                        read ->
                                answer(
                                        read.page(),
                                        HistoryPage.before(
                                                position,
                                                room.room(),
                                                read.page(),
                                                HistoryPage.isGapBefore(position, read.first()))));
    }

    private static Uni<Read> read(ReadableRoom room, Range range) {
        return new HistoryReader(room::read).read(range);
    }

    /** Adds the position of the room's newest message, also if it is not in the page. */
    private static RestResponse<HistoryPage> answer(Page read, HistoryPage page) {
        return RestResponse.ResponseBuilder.ok(page)
                .header("Event-Id", read.tail().toString())
                .build();
    }
}
