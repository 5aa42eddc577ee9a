package dev.parley.events;

import dev.parley.delivery.Hub;
import dev.parley.sse.EventStream;
import dev.parley.sse.NettyEventLoop;
import dev.parley.sse.StreamHeaders;
import io.smallrye.mutiny.Multi;
import io.vertx.core.impl.ContextInternal;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.BeanParam;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HEAD;
import jakarta.ws.rs.NotAllowedException;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import org.eclipse.microprofile.openapi.annotations.Operation;

/** Subscribing to a room. */
@Path("/events")
public final class EventsResource {

    private final Hub hub;

    EventsResource(Hub hub) {
        this.hub = hub;
    }

    @GET
    @Produces(MediaType.SERVER_SENT_EVENTS)
    @Operation(summary = "Receive a room's messages as they are published")
    public Multi<String> events(@BeanParam EventsQuery query, @Context RoutingContext exchange) {
        var request = exchange.request();
        var subscribe = query.subscribeRequest(request.remoteAddress().hostAddress());
        var loop = new NettyEventLoop(ContextInternal.current().nettyEventLoop());
        StreamHeaders.set(exchange);
        return new EventStream(request, loop, stream -> hub.subscribe(subscribe, stream, loop));
    }

    /** A stream has no head to look at without opening it. */
    @HEAD
    @Operation(hidden = true)
    public void head() {
        throw new NotAllowedException("GET");
    }
}
