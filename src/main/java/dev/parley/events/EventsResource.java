package dev.parley.events;

import dev.parley.access.AuthorizedRooms;
import dev.parley.access.TicketsResource;
import dev.parley.delivery.EventsConfig;
import dev.parley.delivery.Heartbeat;
import dev.parley.delivery.SubscribeRequest;
import dev.parley.delivery.SubscribeRequest.RoomStart;
import dev.parley.delivery.SubscribeRequest.StartPosition;
import dev.parley.http.ClientAddress;
import dev.parley.http.ErrorCode;
import dev.parley.http.ProxyAdvice;
import dev.parley.http.QueryParameters;
import dev.parley.http.RefusedRequest;
import dev.parley.http.UrlEncodedForm;
import dev.parley.log.Format;
import dev.parley.message.EventId;
import dev.parley.message.Room;
import dev.parley.message.StreamPosition;
import dev.parley.sse.EventStream;
import dev.parley.sse.NettyEventLoop;
import dev.parley.sse.StreamHeaders;
import io.smallrye.mutiny.Multi;
import io.vertx.core.impl.ContextInternal;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HEAD;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.ParameterIn;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.jspecify.annotations.Nullable;

/** Subscribes to rooms: checks the request, and gives its connection to the hub. */
@Path("/events")
@SecurityRequirement(name = TicketsResource.TOKEN)
public final class EventsResource {

    /** Describes the header, which GET and POST have; they share no other parameter. */
    private static final String LAST_EVENT_ID =
            "id of the last message received: the stream goes on after it";

    private final AuthorizedRooms rooms;
    private final ClientAddress clientAddress;
    private final ProxyAdvice proxyAdvice;
    private final Duration usualHeartbeat;
    private final Duration idleTimeout;

    EventsResource(
            AuthorizedRooms rooms,
            ClientAddress clientAddress,
            ProxyAdvice proxyAdvice,
            EventsConfig config,
            @ConfigProperty(name = "quarkus.http.idle-timeout") Duration idleTimeout) {
        this.rooms = rooms;
        this.usualHeartbeat = config.heartbeat();
        this.idleTimeout = idleTimeout;
        this.proxyAdvice = proxyAdvice;
        this.clientAddress = clientAddress;
    }

    /**
     * Opens a stream. The parameters in the query are declared for the API description only: {@link
     * EventsQuery} reads the query.
     */
    @GET
    @Produces(MediaType.SERVER_SENT_EVENTS)
    @Operation(summary = "Receive the messages of one or more rooms as they are published")
    @Parameter(
            name = "room",
            in = ParameterIn.QUERY,
            description = "a room, lobby by default; up to 50 times, then with format=json",
            schema = @Schema(type = SchemaType.ARRAY, implementation = String.class))
    @Parameter(
            name = "format",
            in = ParameterIn.QUERY,
            description = "text (default): data is the text; json: data is the whole message",
            schema = @Schema(type = SchemaType.STRING))
    @Parameter(
            name = "history",
            in = ParameterIn.QUERY,
            description = "how many of the newest messages to begin with, 0 by default",
            schema = @Schema(type = SchemaType.STRING))
    @Parameter(
            name = "heartbeat",
            in = ParameterIn.QUERY,
            description =
                    "longest silence in seconds, 2 to 60; event: an event of type heartbeat"
                            + " instead of a comment; both if given twice",
            schema = @Schema(type = SchemaType.ARRAY, implementation = String.class))
    @Parameter(
            name = "lastEventId",
            in = ParameterIn.QUERY,
            description =
                    "the same as Last-Event-ID for clients that cannot set a header; the header"
                            + " wins; earliest: all messages that are retained",
            schema = @Schema(type = SchemaType.STRING))
    @Parameter(
            name = "ticket",
            in = ParameterIn.QUERY,
            description = "from POST /tickets, in place of a token, for an EventSource",
            schema = @Schema(type = SchemaType.STRING))
    @Parameter(
            name = "last_event_id",
            in = ParameterIn.QUERY,
            description = "another spelling of lastEventId",
            schema = @Schema(type = SchemaType.STRING))
    public Multi<String> events(
            @HeaderParam("Last-Event-ID") @Parameter(description = LAST_EVENT_ID)
                    @Nullable String lastEventId,
            @Context RoutingContext exchange) {
        return stream(
                EventsQuery.read(UrlEncodedForm.readQuery(exchange.request()), lastEventId),
                exchange);
    }

    /**
     * Opens a stream, for clients whose rooms and positions are too long for a query and a header.
     * A browser's EventSource cannot do it, {@code fetch} can.
     */
    @POST
    @Consumes(MediaType.APPLICATION_FORM_URLENCODED)
    @Produces(MediaType.SERVER_SENT_EVENTS)
    @Operation(
            summary = "Receive the messages of up to 200 rooms",
            description =
                    "The form has the fields that GET has in its query, where they are refused. A"
                            + " ticket is taken from the query alone.")
    public Multi<String> eventsOfForm(
            byte[] form,
            @HeaderParam("Last-Event-ID") @Parameter(description = LAST_EVENT_ID)
                    @Nullable String lastEventId,
            @Context RoutingContext exchange) {
        EventsQuery.checkAbsent(UrlEncodedForm.readQuery(exchange.request()));
        return stream(
                EventsQuery.readForm(
                        UrlEncodedForm.readBody(exchange.request(), form, EventsQuery.MAX_FORM),
                        lastEventId),
                exchange);
    }

    private Multi<String> stream(EventsQuery query, RoutingContext exchange) {
        var request = exchange.request();
        var asked = query.subscribeRequest(clientAddress.of(request));
        var subscribe = asked.with(asked.heartbeat().within(idleTimeout, usualHeartbeat));
        var permitted = rooms.permitted(exchange, subscribe);
        var loop = new NettyEventLoop(ContextInternal.current().nettyEventLoop());
        StreamHeaders.set(exchange);
        rooms.fullLimit(subscribe).ifPresent(limit -> proxyAdvice.onLimitMet(request, limit));
        return new EventStream(request, loop, connection -> permitted.open(connection, loop));
    }

    /**
     * Answers with the status and headers of GET. Without this method the framework would call GET,
     * which opens a stream and counts it, and would end the stream when the head is sent.
     */
    @HEAD
    @Produces(MediaType.SERVER_SENT_EVENTS)
    @Operation(hidden = true)
    public Response head(
            @HeaderParam("Last-Event-ID") @Nullable String lastEventId,
            @Context RoutingContext exchange) {
        rooms.permitted(
                exchange,
                EventsQuery.read(UrlEncodedForm.readQuery(exchange.request()), lastEventId)
                        .subscribeRequest(clientAddress.of(exchange.request())));
        StreamHeaders.set(exchange);
        return Response.ok().build();
    }

    /**
     * The fields of a request for a stream as the client wrote them, not checked yet; null if
     * absent.
     *
     * @param rooms the rooms, the lobby if there are none
     * @param maxRooms most rooms that a stream of this request may read
     * @param format the name of a {@link Format} in lower case, text if absent
     * @param history how many of the newest messages to begin with, 0 if absent
     * @param heartbeats a number of seconds, {@code event}, both or neither
     * @param lastEventIdHeader id of the last message that the client received; if it is given, the
     *     parameter is ignored
     * @param lastEventId the same, for clients that cannot set a header; or {@code earliest}
     */
    record EventsQuery(
            List<String> rooms,
            int maxRooms,
            @Nullable String format,
            @Nullable String history,
            List<String> heartbeats,
            @Nullable String lastEventIdHeader,
            @Nullable String lastEventId) {

        /**
         * Most rooms in a query. The position in 50 rooms is a {@code Last-Event-ID} of at most 6
         * KB, which servers and proxies accept; they often accept 8 KB of headers.
         */
        static final int MAX_ROOMS = 50;

        /**
         * Most rooms in a form. The position, which each message carries, gets long, but such a
         * client can send it in the form.
         */
        static final int MAX_ROOMS_OF_FORM = 200;

        /**
         * Longest form, in bytes: 200 rooms with long names and the position in them take 40 KB.
         */
        static final int MAX_FORM = 64 * 1024;

        /** Most messages that {@code history} can ask for: the most that a broker can retain. */
        private static final int MAX_HISTORY = 1_000_000;

        /** Bounds of the heartbeat that a client can ask for, in seconds. */
        private static final int MIN_HEARTBEAT = 2;

        private static final int MAX_HEARTBEAT = 60;

        /** Asks for heartbeats as events, which a page can see. */
        private static final String AS_EVENT = "event";

        /** The names of the fields. */
        private static final List<String> NAMES =
                List.of("room", "format", "history", "heartbeat", "lastEventId", "last_event_id");

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
                Map<String, List<String>> query, @Nullable String lastEventIdHeader) {
            return read(query, MAX_ROOMS, lastEventIdHeader);
        }

        /**
         * Reads the fields of a form, which has the names that a query has.
         *
         * @param form its decoded fields
         */
        static EventsQuery readForm(
                Map<String, List<String>> form, @Nullable String lastEventIdHeader) {
            return read(form, MAX_ROOMS_OF_FORM, lastEventIdHeader);
        }

        /**
         * Checks that the query of a request whose fields are in a form has none of them. It would
         * be ignored, and the stream be of the lobby, or begin in another place than was meant.
         *
         * @param query its decoded parameters; others than the fields, such as the ticket, may be
         *     there
         * @throws RefusedRequest if it has one
         */
        static void checkAbsent(Map<String, List<String>> query) {
            NAMES.stream()
                    .filter(name -> !QueryParameters.given(query, name).isEmpty())
                    .findFirst()
                    .ifPresent(
                            name -> {
                                throw new RefusedRequest(
                                        ErrorCode.BAD_FORM,
                                        "bad form: %s is in the query, of which POST /events reads a ticket alone; send it in the body, as a form"
                                                .formatted(name));
                            });
        }

        private static EventsQuery read(
                Map<String, List<String>> fields,
                int maxRooms,
                @Nullable String lastEventIdHeader) {
            String lastEventId = QueryParameters.first(fields, "lastEventId");
            return new EventsQuery(
                    QueryParameters.given(fields, "room"),
                    maxRooms,
                    QueryParameters.first(fields, "format"),
                    QueryParameters.first(fields, "history"),
                    QueryParameters.given(fields, "heartbeat"),
                    lastEventIdHeader,
                    lastEventId == null
                            ? QueryParameters.first(fields, "last_event_id")
                            : lastEventId);
        }

        /**
         * Checks the fields.
         *
         * @param address the client's address
         * @throws RefusedRequest if a field is not valid
         * @throws dev.parley.message.InvalidRequest if the room is not valid
         */
        SubscribeRequest subscribeRequest(String address) {
            List<Room> read = checkedRooms();
            Format checked = checkedFormat();
            if (read.size() > 1 && checked != Format.JSON) {
                throw new RefusedRequest(
                        ErrorCode.BAD_FORMAT,
                        "bad format: a stream of several rooms needs format=json, in which each message"
                                + " names its room");
            }
            Function<Room, StartPosition> starts = starts(read.get(0));
            return new SubscribeRequest(
                    read.stream().map(room -> new RoomStart(room, starts.apply(room))).toList(),
                    checked,
                    heartbeat(),
                    address);
        }

        /** Returns the rooms in the order in which they were given, each once. */
        private List<Room> checkedRooms() {
            if (rooms.isEmpty()) {
                return List.of(Room.LOBBY);
            }
            Set<Room> read = new LinkedHashSet<>();
            rooms.forEach(name -> read.add(new Room(name)));
            if (read.size() > maxRooms) {
                throw new RefusedRequest(
                        ErrorCode.TOO_MANY_ROOMS,
                        "too many rooms: a stream reads at most %d, and %d with POST /events"
                                .formatted(MAX_ROOMS, MAX_ROOMS_OF_FORM));
            }
            return List.copyOf(read);
        }

        private Format checkedFormat() {
            Format known = format == null ? Format.TEXT : FORMATS.get(format);
            if (known == null) {
                throw new RefusedRequest(
                        ErrorCode.BAD_FORMAT,
                        "bad format: one of "
                                + String.join(", ", FORMATS.keySet())
                                + " is expected");
            }
            return known;
        }

        private Heartbeat heartbeat() {
            if (heartbeats.isEmpty()) {
                return Heartbeat.DEFAULT;
            }
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
            if (!written.matches("[0-9]{1,9}")) {
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
         * Returns where to start in each room: at the position if one is given, otherwise before
         * the newest messages. The number of messages is checked in both cases.
         *
         * <p>The id of a stream of several rooms has the positions of all of them. Rooms that are
         * not read any more are left out, and those that were not read before have no position. The
         * id of a stream of one room is a position in the first room that is given: a page that has
         * begun to read further rooms names them after the one that it reads already.
         *
         * @param first the room that is given first
         */
        private Function<Room, StartPosition> starts(Room first) {
            int count =
                    QueryParameters.number(
                            ErrorCode.BAD_HISTORY, "history", history, 0, MAX_HISTORY, 0);
            StartPosition withoutPosition =
                    count == 0 ? new StartPosition.Tail() : new StartPosition.Newest(count);
            String id = given(lastEventIdHeader).or(() -> given(lastEventId)).orElse(null);
            if (id == null) {
                return room -> withoutPosition;
            }
            Optional<SortedMap<String, String>> positions = StreamPosition.parse(id);
            if (positions.isPresent()) {
                return room ->
                        Optional.ofNullable(positions.get().get(room.name()))
                                .map(EventsQuery::after)
                                .orElse(withoutPosition);
            }
            boolean isOfFirstRoom = EventId.parse(id).isPresent();
            return room -> isOfFirstRoom && !room.equals(first) ? withoutPosition : after(id);
        }

        /**
         * Returns an id that is given and not empty. An empty one counts as absent: it is a
         * browser's last event id before the first message.
         */
        private static Optional<String> given(@Nullable String id) {
            return Optional.ofNullable(id).filter(written -> !written.isEmpty());
        }

        /**
         * Returns where to continue after an id. A text that is not an id leads to {@code event:
         * gap}, not to an error, because an EventSource does not reconnect after a 400.
         *
         * <p>The stream writes that text as an id before the gap. A blank one, as of the cut id
         * {@code kitchen=}, would make the client come back without an id if its connection broke
         * there, and it would never get the gap.
         */
        private static StartPosition after(String id) {
            if (id.equals(StreamPosition.EARLIEST)) {
                return new StartPosition.Newest(StartPosition.ALL);
            }
            Optional<EventId> position = EventId.parse(id);
            if (position.isPresent()) {
                return new StartPosition.After(position.get());
            }
            String line = CONTROL.matcher(id).replaceAll("?");
            String cut = line.substring(0, Math.min(line.length(), MAX_REQUESTED));
            return new StartPosition.Unknown(cut.isBlank() ? StreamPosition.UNKNOWN : cut);
        }
    }
}
