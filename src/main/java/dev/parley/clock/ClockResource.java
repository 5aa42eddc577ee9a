package dev.parley.clock;

import dev.parley.events.StreamHeaders;
import io.smallrye.mutiny.Multi;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HEAD;
import jakarta.ws.rs.NotAllowedException;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import java.time.Clock;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import org.eclipse.microprofile.openapi.annotations.Operation;

/** The time, once a second. */
@Path("/clock")
public final class ClockResource {

    private final Clock clock;

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
                .map(tick -> clock.instant().truncatedTo(ChronoUnit.SECONDS).toString());
    }

    /** A stream has no head to look at without opening it. */
    @HEAD
    @Operation(hidden = true)
    public void head() {
        throw new NotAllowedException("GET");
    }
}
