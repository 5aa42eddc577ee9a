package dev.parley.clock;

import dev.parley.delivery.DisconnectReason;
import dev.parley.delivery.EventsConfig;
import dev.parley.delivery.Hub;
import dev.parley.http.ClientAddress;
import dev.parley.http.ExchangeEnd;
import dev.parley.http.PendingAnswers;
import dev.parley.http.ProxyAdvice;
import dev.parley.retry.Backoff;
import dev.parley.sse.EventStream;
import dev.parley.sse.NettyEventLoop;
import dev.parley.sse.StreamHeaders;
import io.quarkus.runtime.ShutdownDelayInitiatedEvent;
import io.smallrye.mutiny.Multi;
import io.vertx.core.impl.ContextInternal;
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
import jakarta.ws.rs.sse.OutboundSseEvent;
import jakarta.ws.rs.sse.Sse;
import java.time.Clock;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;

/** Streams the time once a second. */
@Path("/clock")
public final class ClockResource {

    /** Priority of an observer that runs after {@code Drain}, which has the default priority. */
    private static final int LATE = Interceptor.Priority.APPLICATION + 1000;

    private static final Duration PERIOD = Duration.ofSeconds(1);

    private final Hub hub;
    private final Clock clock;
    private final ClientAddress clientAddress;
    private final ProxyAdvice proxyAdvice;
    private final EventsConfig config;
    private final long maxUnsent;
    private volatile boolean ending;

    ClockResource(
            Hub hub,
            Clock clock,
            ClientAddress clientAddress,
            ProxyAdvice proxyAdvice,
            EventsConfig config) {
        this.config = config;
        this.proxyAdvice = proxyAdvice;
        this.maxUnsent = Math.max(1, config.slowTimeout().dividedBy(PERIOD));
        this.hub = hub;
        this.clock = clock;
        this.clientAddress = clientAddress;
    }

    /** Opens a stream of the time, which counts within the limits of streams. */
    @GET
    @Produces(MediaType.SERVER_SENT_EVENTS)
    @Operation(summary = "Receive the time once a second")
    @APIResponse(
            responseCode = "200",
            description = "OK",
            content =
                    @Content(
                            mediaType = MediaType.SERVER_SENT_EVENTS,
                            schema =
                                    @Schema(
                                            type = SchemaType.ARRAY,
                                            implementation = String.class)))
    public Multi<?> time(@Context RoutingContext exchange, @Context Sse sse) {
        StreamHeaders.set(exchange);
        String address = clientAddress.of(exchange.request());
        hub.fullLimit(address, 0)
                .ifPresent(limit -> proxyAdvice.onLimitMet(exchange.request(), limit));
        Optional<DisconnectReason> refusal = hub.enter(address);
        if (refusal.isPresent()) {
            var loop = new NettyEventLoop(ContextInternal.current().nettyEventLoop());
            return new EventStream(
                    exchange.request(),
                    loop,
                    connection -> hub.refuse(connection, loop, refusal.get()));
        }
        // Holds why the stream ends: the client leaves, unless the pod ends it below.
        var reason = new AtomicReference<>(DisconnectReason.CLIENT);
        ExchangeEnd.then(exchange, () -> hub.leave(address, Objects.requireNonNull(reason.get())));
        // Ticks since the last one that was sent: the client has not taken that.
        var unsent = new AtomicInteger();
        return Multi.createFrom()
                .ticks()
                .startingAfter(Duration.ofNanos(1))
                .every(PERIOD)
                .onOverflow()
                .invoke(
                        tick -> {
                            if (unsent.incrementAndGet() == maxUnsent) {
                                reason.set(DisconnectReason.SLOW_CONSUMER);
                                PendingAnswers.giveUp(exchange.request());
                            }
                        })
                .drop()
                .invoke(tick -> unsent.set(0))
                .select()
                .first(tick -> !ending)
                .map(tick -> sse.newEvent(now()))
                .onCompletion()
                .continueWith(
                        () -> {
                            reason.set(DisconnectReason.DRAIN);
                            return List.of(goodbye(sse));
                        });
    }

    private String now() {
        return clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
    }

    /** Asks the client to come back, as the drain asks the readers of rooms. */
    private OutboundSseEvent goodbye(Sse sse) {
        return sse.newEventBuilder()
                .name("goodbye")
                .reconnectDelay(Backoff.between(config.minRetry(), config.maxRetry()).toMillis())
                .data("{\"reason\":\"" + DisconnectReason.DRAIN.label() + "\"}")
                .build();
    }

    /**
     * Has every stream of the clock end with a goodbye at its next tick, when the pod shuts down.
     * Otherwise the framework would wait for them until its shutdown timeout, and log an error.
     */
    void end(@Observes @Priority(LATE) ShutdownDelayInitiatedEvent event) {
        ending = true;
    }

    /**
     * Answers with the status and headers of GET. Without this method the framework would call GET,
     * which opens a stream.
     */
    @HEAD
    @Produces(MediaType.SERVER_SENT_EVENTS)
    @Operation(hidden = true)
    public Response head(@Context RoutingContext exchange) {
        StreamHeaders.set(exchange);
        return Response.ok().build();
    }
}
