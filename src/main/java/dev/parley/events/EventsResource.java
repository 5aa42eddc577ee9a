package dev.parley.events;

import dev.parley.delivery.Hub;
import dev.parley.sse.EventStream;
import dev.parley.sse.NettyEventLoop;
import dev.parley.sse.StreamHeaders;
import io.smallrye.mutiny.Multi;
import io.vertx.core.impl.ContextInternal;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HEAD;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.NotAllowedException;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.jspecify.annotations.Nullable;

/** Subscribes to a room: checks the request, and gives its connection to the hub. */
@Path("/events")
public final class EventsResource {

    private final Hub hub;

    EventsResource(Hub hub) {
        this.hub = hub;
    }

    @GET
    @Produces(MediaType.SERVER_SENT_EVENTS)
    @Operation(summary = "Receive a room's messages as they are published")
    public Multi<String> events(
            @QueryParam("room") @Parameter(description = "the room, lobby by default")
                    @Nullable String room,
            @QueryParam("format")
                    @Parameter(
                            description =
                                    "text (default): data is the text; json: data is the whole"
                                            + " message")
                    @Nullable String format,
            @QueryParam("history")
                    @Parameter(
                            description =
                                    "how many of the newest messages to begin with, 0 by default")
                    @Nullable String history,
            @HeaderParam("Last-Event-ID")
                    @Parameter(
                            description =
                                    "id of the last message received: the stream goes on after it")
                    @Nullable String lastEventIdHeader,
            @QueryParam("lastEventId")
                    @Parameter(
                            description =
                                    "the same for clients that cannot set a header; the header"
                                            + " wins")
                    @Nullable String lastEventId,
            @Context RoutingContext exchange) {
        var query = new EventsQuery(room, format, history, lastEventIdHeader, lastEventId);
        var request = exchange.request();
        var subscribe = query.subscribeRequest(request.remoteAddress().hostAddress());
        var loop = new NettyEventLoop(ContextInternal.current().nettyEventLoop());
        StreamHeaders.set(exchange);
        return new EventStream(request, loop, stream -> hub.subscribe(subscribe, stream, loop));
    }

    /** Refused: the framework would open a stream, and count it, to answer with its head. */
    @HEAD
    @Operation(hidden = true)
    public void head() {
        throw new NotAllowedException("GET");
    }
}
