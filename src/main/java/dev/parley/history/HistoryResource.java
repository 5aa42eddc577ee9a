package dev.parley.history;

import dev.parley.access.AuthorizedRooms;
import dev.parley.access.AuthorizedRooms.ReadableRoom;
import dev.parley.access.TicketsResource;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.http.ErrorCode;
import dev.parley.http.PendingAnswers;
import dev.parley.http.QueryParameters;
import dev.parley.http.RefusedRequest;
import dev.parley.http.UrlEncodedForm;
import dev.parley.message.EventId;
import dev.parley.message.Message.StoredMessage;
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
import java.util.Optional;
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
    private static final int MAX_LIMIT = 500;

    /** Length of the largest page that a broker returns if its text is ASCII, in bytes. */
    private static final long LARGEST_PAGE = 320 * 1024;

    /** Estimated length of the JSON around the text of a message, in bytes. */
    private static final int MESSAGE_LENGTH = 300;

    /**
     * Pages of expired messages that one request reads at most; then it answers without messages.
     */
    private static final int MAX_FURTHER_READS = 100;

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
                            + " to the id in the request are gone.")
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
        PendingAnswers.Reservation reserved = answers.reserve(exchange, LARGEST_PAGE);
        return page(readable, afterId, beforeId, count)
                .invoke(answer -> reserved.resize(length(answer.getEntity())));
    }

    private Uni<RestResponse<HistoryPage>> page(
            ReadableRoom room, @Nullable EventId after, @Nullable EventId before, int count) {
        if (after != null) {
            return after(room, after, count);
        }
        if (before != null) {
            return before(room, before, count);
        }
        return read(room, Range.newest(count))
                .map(page -> answer(page, HistoryPage.of(room.room(), page, false)));
    }

    /**
     * Estimates the length of a page as JSON, in bytes: two for each UTF-16 unit of a text, and
     * what is around it.
     */
    private static long length(HistoryPage page) {
        return page.messages().stream()
                .mapToLong(stored -> MESSAGE_LENGTH + 2L * stored.message().text().length())
                .sum();
    }

    /**
     * Reads the messages after a position. If they were trimmed, or the position is not one of this
     * log, the page starts at the oldest message that is retained, and says that there is a gap. It
     * also says so if another program deleted the next ones; then it starts at the one after them.
     */
    private Uni<RestResponse<HistoryPage>> after(ReadableRoom room, EventId position, int count) {
        Range range = new Range.After(position.offset(), count);
        return room.read(range)
                .flatMap(first -> readOn(room, range, first).map(page -> new Read(first, page)))
                .flatMap(
                        read ->
                                read.page().continues(position)
                                        ? Uni.createFrom().item(after(room, position, read))
                                        : read(room, new Range.After(0, count))
                                                .map(oldest -> after(room, oldest, true)));
    }

    private RestResponse<HistoryPage> after(ReadableRoom room, EventId position, Read read) {
        return after(room, read.page(), HistoryPage.isGapAfter(position, read.first()));
    }

    private RestResponse<HistoryPage> after(ReadableRoom room, Page page, boolean isGap) {
        return answer(page, HistoryPage.of(room.room(), page, isGap));
    }

    private Uni<RestResponse<HistoryPage>> before(ReadableRoom room, EventId position, int count) {
        Range range = new Range.Before(Math.max(1, position.offset()), count);
        return room.read(range)
                .flatMap(first -> readOn(room, range, first).map(page -> new Read(first, page)))
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

    /**
     * A page, and the one that was read first: next to the position in the request. They differ if
     * all messages of the first one have expired.
     */
    private record Read(Page first, Page page) {}

    /**
     * Reads a page. If all messages of it have expired, reads on beyond them, because a client that
     * follows the pages takes one without messages for the end.
     */
    private Uni<Page> read(ReadableRoom room, Range range) {
        return room.read(range).flatMap(first -> readOn(room, range, first));
    }

    /** Reads on beyond a page if all messages of it have expired. */
    private Uni<Page> readOn(ReadableRoom room, Range range, Page first) {
        return readOn(room, range, first, range.limit(), MAX_FURTHER_READS);
    }

    private Uni<Page> readOn(
            ReadableRoom room, Range range, Page page, int count, int furtherReads) {
        return beyondExpired(page, range)
                .filter(rest -> furtherReads > 0)
                .map(
                        rest ->
                                room.read(rest)
                                        .flatMap(
                                                next ->
                                                        readOn(
                                                                room,
                                                                rest,
                                                                next,
                                                                count,
                                                                furtherReads - 1)))
                .orElseGet(() -> Uni.createFrom().item(cut(page, range, count)));
    }

    /** Returns what to read next if all messages of a page have expired and it is not the last. */
    private static Optional<Range> beyondExpired(Page page, Range range) {
        List<StoredMessage> messages = page.messages();
        if (messages.isEmpty() || !messages.stream().allMatch(page::isExpired)) {
            return Optional.empty();
        }
        long first = messages.get(0).offset();
        long last = messages.get(messages.size() - 1).offset();
        if (range instanceof Range.After) {
            return last < page.newest()
                    ? Optional.of(new Range.After(last, MAX_LIMIT))
                    : Optional.empty();
        }
        return first > page.oldest()
                ? Optional.of(new Range.Before(first, MAX_LIMIT))
                : Optional.empty();
    }

    /** Leaves out messages at the far end of a page, if it has more than this many. */
    private static Page cut(Page page, Range range, int count) {
        List<StoredMessage> messages = page.messages();
        if (messages.size() <= count) {
            return page;
        }
        List<StoredMessage> shown =
                messages.stream().filter(message -> !page.isExpired(message)).toList();
        if (shown.size() > count) {
            messages =
                    range instanceof Range.After
                            ? messages.subList(0, messages.indexOf(shown.get(count - 1)) + 1)
                            : messages.subList(
                                    messages.indexOf(shown.get(shown.size() - count)),
                                    messages.size());
        }
        return new Page(page.lineage(), page.oldest(), page.newest(), messages, page.readAt());
    }

    /** Adds the position of the room's newest message, also if it is not in the page. */
    private static RestResponse<HistoryPage> answer(Page read, HistoryPage page) {
        return RestResponse.ResponseBuilder.ok(page)
                .header("Event-Id", read.tail().toString())
                .build();
    }
}
