package dev.parley.publish;

import dev.parley.access.AuthorizedRooms;
import dev.parley.broker.IdempotencyKeyReused;
import dev.parley.broker.PublishRequest.IdempotencyKey;
import dev.parley.broker.PublishRequest.Receipt;
import dev.parley.http.ContentNegotiation;
import dev.parley.http.ErrorCode;
import dev.parley.http.PendingPublishes;
import dev.parley.http.ProxyAdvice;
import dev.parley.http.RefusedRequest;
import dev.parley.message.InvalidRequest;
import dev.parley.message.Message;
import dev.parley.message.Room;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.Startup;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Singleton;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.ParameterIn;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.jspecify.annotations.Nullable;

/**
 * Publishes a message: counts the request against the client's rate, reads the message from it,
 * checks that the client may publish it, counts it against its room's rate, hands it to the broker,
 * and answers once the broker has it.
 *
 * <p>Created at startup, so that its counters are in the metrics before the first request.
 */
@Path("/send")
@Singleton
@Startup
public final class SendResource {

    private final AuthorizedRooms rooms;
    private final PublishConfig config;
    private final long maxBody;
    private final PublishRates rates;
    private final PendingPublishes publishes;
    private final ProxyAdvice proxyAdvice;
    private final Clock clock;
    private final Outcomes outcomes;

    SendResource(
            AuthorizedRooms rooms,
            PublishConfig config,
            @ConfigProperty(name = "quarkus.http.limits.max-body-size") MemorySize maxBody,
            PublishRates rates,
            PendingPublishes publishes,
            ProxyAdvice proxyAdvice,
            Clock clock,
            MeterRegistry meters) {
        this.maxBody = maxBody.asLongValue();
        this.rooms = rooms;
        this.config = config;
        this.rates = rates;
        this.publishes = publishes;
        this.proxyAdvice = proxyAdvice;
        this.clock = clock;
        this.outcomes = new Outcomes(meters);
    }

    /**
     * Publishes. The parameters in the query are declared for the API description only: {@link
     * SendFields} reads the query.
     */
    @POST
    @Consumes({
        MediaType.APPLICATION_FORM_URLENCODED,
        MediaType.MULTIPART_FORM_DATA,
        MediaType.APPLICATION_JSON,
        MediaType.TEXT_PLAIN
    })
    @Operation(summary = "Publish a message, as a form, as JSON, as bare text, or in the query")
    @RequestBody(
            description =
                    "a form or a JSON object of strings: msg, and if wanted room, from, event,"
                            + " ttl; or the bare text",
            required = false)
    @Parameter(
            name = "msg",
            in = ParameterIn.QUERY,
            description = "the text, if the body has none",
            schema = @Schema(type = SchemaType.STRING))
    @Parameter(
            name = "room",
            in = ParameterIn.QUERY,
            description = "the room, lobby by default",
            schema = @Schema(type = SchemaType.STRING))
    @Parameter(
            name = "from",
            in = ParameterIn.QUERY,
            description = "the name of the sender",
            schema = @Schema(type = SchemaType.STRING))
    @Parameter(
            name = "event",
            in = ParameterIn.QUERY,
            description = "the type that browsers dispatch the message as, message by default",
            schema = @Schema(type = SchemaType.STRING))
    @Parameter(
            name = "ttl",
            in = ParameterIn.QUERY,
            description =
                    "the seconds for which the message is in the history and is replayed, 1 up to"
                            + " the age that its room keeps; the latter by default",
            schema = @Schema(type = SchemaType.INTEGER, minimum = "1"))
    public Uni<Response> send(
            byte[] body,
            @HeaderParam("Idempotency-Key")
                    @Parameter(description = "makes a repeat within five minutes publish nothing")
                    @Nullable String key,
            @HeaderParam(HttpHeaders.CONTENT_ENCODING)
                    @Parameter(description = "gzip, if the body is compressed")
                    @Nullable String contentEncoding,
            @Context HttpHeaders headers,
            @Context RoutingContext exchange) {
        AuthorizedRooms.PublishableMessage publishable;
        Optional<IdempotencyKey> idempotencyKey;
        PendingPublishes.Pending pending;
        boolean asJson = ContentNegotiation.acceptsJson(headers.getAcceptableMediaTypes());
        try {
            checkRate(exchange);
            // A body can come in one piece, before RequestGuard has counted it.
            if (body.length > maxBody) {
                throw new RefusedRequest(
                        ErrorCode.REQUEST_TOO_LARGE,
                        "request too large: at most " + maxBody + " bytes are accepted");
            }
            byte[] decoded = ContentCoding.decode(contentEncoding, body, maxBody);
            SendFields fields =
                    SendFields.read(headers.getMediaType(), decoded, exchange.request().query());
            Message message =
                    fields.message(config.maxText().asLongValue(), clock.instant(), rooms::age);
            publishable = rooms.publishable(exchange, message);
            checkRate(message.room());
            idempotencyKey = Optional.ofNullable(key).map(IdempotencyKey::new);
            pending = publishes.hold(exchange, Math.max(body.length, message.text().length()));
        } catch (InvalidRequest | RefusedRequest e) {
            outcomes.countRefused(e);
            throw e;
        }
        Room room = publishable.message().room();
        Uni<Receipt> publish =
                publishable
                        .publish(idempotencyKey)
                        .onTermination()
                        .invoke(pending::end)
                        .onItem()
                        .invoke(outcomes::countPublished)
                        .onFailure()
                        .invoke(outcomes::countFailed);
        return uncancelled(publish).map(receipt -> answer(receipt, room, asJson));
    }

    /**
     * Goes on when the subscriber cancels, as the framework does when the client closes its
     * connection: the message is on its way to the broker then, and is held until it has answered.
     */
    private static <T> Uni<T> uncancelled(Uni<T> work) {
        return Uni.createFrom()
                .emitter(caller -> work.subscribe().with(caller::complete, caller::fail));
    }

    private void checkRate(RoutingContext exchange) {
        Optional<Duration> pause = rates.tryAcquire(rooms.limitKey(exchange));
        if (pause.isPresent()) {
            proxyAdvice.onLimitMet(exchange.request(), "parley.publish.rate");
            throw RefusedRequest.retryable(
                    ErrorCode.TOO_MANY_REQUESTS,
                    "too many requests: slow down, and repeat this one after the seconds in"
                            + " Retry-After",
                    pause.get());
        }
    }

    private void checkRate(Room room) {
        Optional<Duration> pause = rates.tryAcquire(room);
        if (pause.isPresent()) {
            throw RefusedRequest.retryable(
                    ErrorCode.TOO_MANY_REQUESTS,
                    "too many messages in room "
                            + room
                            + ": repeat this one after the seconds in Retry-After",
                    pause.get());
        }
    }

    private static Response answer(Receipt receipt, Room room, boolean asJson) {
        String id = receipt.id().toString();
        var answer = Response.ok().header("Event-Id", id);
        if (asJson) {
            var body = new ReceiptJson(id, room.name(), receipt.duplicate());
            return answer.entity(body).type(MediaType.APPLICATION_JSON_TYPE).build();
        }
        return answer.entity("ok").type(MediaType.TEXT_PLAIN_TYPE).build();
    }

    /**
     * The receipt as JSON.
     *
     * @param id of the message
     * @param room that the message is in
     * @param duplicate whether an earlier request with the same key published it
     */
    @RegisterForReflection
    public record ReceiptJson(String id, String room, boolean duplicate) {}

    /** Counts publish requests by their outcome. */
    private static final class Outcomes {

        private final Counter published;
        private final Counter repeated;
        private final Counter failed;
        private final Counter rejected;
        private final Counter limited;

        Outcomes(MeterRegistry meters) {
            this.published = counter(meters, "ok");
            this.repeated = counter(meters, "duplicate");
            this.failed = counter(meters, "failed");
            this.rejected = counter(meters, "rejected");
            this.limited = counter(meters, "limited");
        }

        void countPublished(Receipt receipt) {
            (receipt.duplicate() ? repeated : published).increment();
        }

        void countFailed(Throwable failure) {
            (failure instanceof IdempotencyKeyReused ? rejected : failed).increment();
        }

        void countRefused(RuntimeException refusal) {
            boolean tooMany =
                    refusal instanceof RefusedRequest refused
                            && refused.code() == ErrorCode.TOO_MANY_REQUESTS;
            (tooMany ? limited : rejected).increment();
        }

        private static Counter counter(MeterRegistry meters, String result) {
            return Counter.builder("parley.messages.published")
                    .description("Publish requests by outcome")
                    .tag("result", result)
                    .register(meters);
        }
    }
}
