package dev.parley.clock;

import dev.parley.sse.StreamHeaders;
import io.quarkus.runtime.ShutdownDelayInitiatedEvent;
import io.smallrye.mutiny.Multi;
import io.vertx.ext.web.RoutingContext;
import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.interceptor.Interceptor;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HEAD;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.time.Clock;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import org.eclipse.microprofile.openapi.annotations.Operation;

/** Streams the time once a second. */
@Path("/clock")
public final class ClockResource {

    /** Runs after the drain of the rooms, which observes at the default priority. */
    private static final int LATE = Interceptor.Priority.APPLICATION + 1000;

    private final Clock clock;
    private volatile boolean ending;

    ClockResource(Clock clock) {
        this.clock = clock;
    }

    @GET
    @Produces(MediaType.SERVER_SENT_EVENTS)
    @Operation(summary = "Receive the time once a second")
    public Multi<String> time(@Context RoutingContext exchange) {
        StreamHeaders.set(exchange);
        return Multi.createFrom()
                .ticks()
                .startingAfter(Duration.ofNanos(1))
                .every(Duration.ofSeconds(1))
                .onOverflow()
                .drop()
                .select()
                .first(tick -> !ending)
                .map(tick -> clock.instant().truncatedTo(ChronoUnit.SECONDS).toString());
    }

    /**
     * Ends every stream at its next tick. Otherwise the framework would wait for them until its
     * shutdown timeout, and log an error.
     */
    void end(@Observes @Priority(LATE) ShutdownDelayInitiatedEvent event) {
        ending = true;
    }

    /** Answers what GET would; left to the framework, it would open a stream. */
    @HEAD
    @Produces(MediaType.SERVER_SENT_EVENTS)
    @Operation(hidden = true)
    public Response head(@Context RoutingContext exchange) {
        StreamHeaders.set(exchange);
        return Response.ok().build();
    }
}
