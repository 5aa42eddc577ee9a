package dev.parley.events;

import dev.parley.access.AuthorizedRooms;
import dev.parley.http.ClientAddress;
import dev.parley.http.ProxyAdvice;
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
import jakarta.ws.rs.core.UriInfo;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.ParameterIn;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.jspecify.annotations.Nullable;

/** Subscribes to rooms: checks the request, and gives its connection to the hub. */
@Path("/events")
public final class EventsResource {

    /** Describes the header, which GET and POST have; they share no other parameter. */
    private static final String LAST_EVENT_ID =
            "id of the last message received: the stream goes on after it";

    private final AuthorizedRooms rooms;
    private final ClientAddress clientAddress;
    private final ProxyAdvice proxyAdvice;

    EventsResource(AuthorizedRooms rooms, ClientAddress clientAddress, ProxyAdvice proxyAdvice) {
        this.rooms = rooms;
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
            name = "last_event_id",
            in = ParameterIn.QUERY,
            description = "another spelling of lastEventId",
            schema = @Schema(type = SchemaType.STRING))
    public Multi<String> events(
            @HeaderParam("Last-Event-ID") @Parameter(description = LAST_EVENT_ID)
                    @Nullable String lastEventId,
            @Context UriInfo uri,
            @Context RoutingContext exchange) {
        return stream(EventsQuery.read(uri.getQueryParameters(), lastEventId), exchange);
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
            description = "The form has the fields that GET has in its query.")
    public Multi<String> eventsOfForm(
            byte[] form,
            @HeaderParam("Last-Event-ID") @Parameter(description = LAST_EVENT_ID)
                    @Nullable String lastEventId,
            @Context RoutingContext exchange) {
        return stream(EventsQuery.readForm(form, lastEventId), exchange);
    }

    private Multi<String> stream(EventsQuery query, RoutingContext exchange) {
        var request = exchange.request();
        var subscribe = query.subscribeRequest(clientAddress.of(request));
        var permitted = rooms.permitted(exchange, subscribe);
        var loop = new NettyEventLoop(ContextInternal.current().nettyEventLoop());
        StreamHeaders.set(exchange);
        if (rooms.isFull(subscribe.address())) {
            proxyAdvice.onLimitMet(request, "parley.limits.connections-per-address");
        }
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
            @Context UriInfo uri,
            @Context RoutingContext exchange) {
        rooms.permitted(
                exchange,
                EventsQuery.read(uri.getQueryParameters(), lastEventId)
                        .subscribeRequest(clientAddress.of(exchange.request())));
        StreamHeaders.set(exchange);
        return Response.ok().build();
    }
}
