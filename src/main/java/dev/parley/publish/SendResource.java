package dev.parley.publish;

import dev.parley.broker.PublishRequest;
import dev.parley.broker.Receipt;
import dev.parley.message.InvalidRequest;
import dev.parley.message.Message;
import dev.parley.message.Room;
import io.smallrye.mutiny.Uni;
import jakarta.ws.rs.BeanParam;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.time.Clock;
import java.util.function.Supplier;
import org.eclipse.microprofile.openapi.annotations.Operation;

/** Publishing a message. What the body leaves out may stand in the query. */
@Path("/send")
public final class SendResource {

    private final Publisher publisher;
    private final PublishConfig config;
    private final RateLimit rateLimit;
    private final Clock clock;

    SendResource(Publisher publisher, PublishConfig config, RateLimit rateLimit, Clock clock) {
        this.rateLimit = rateLimit;
        this.publisher = publisher;
        this.config = config;
        this.clock = clock;
    }

    @POST
    @Consumes(MediaType.APPLICATION_FORM_URLENCODED)
    @Operation(summary = "Publish a message, as a form")
    public Uni<Response> form(byte[] body, @BeanParam SendRequest request) {
        return send(request, () -> FormBody.submission(body));
    }

    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Operation(summary = "Publish a message, as JSON")
    public Uni<Response> json(byte[] body, @BeanParam SendRequest request) {
        return send(request, () -> JsonBody.submission(body));
    }

    @POST
    @Consumes(MediaType.TEXT_PLAIN)
    @Operation(summary = "Publish a message, as its bare text")
    public Uni<Response> text(byte[] body, @BeanParam SendRequest request) {
        return send(request, () -> text(body));
    }

    /**
     * The body, or the form that it is when it starts with {@code msg=}: {@code fetch(url, {method:
     * "POST", body: "msg=…"})} says text/plain of itself, and whoever writes that means a form.
     */
    private static SendFields text(byte[] body) {
        String text = Utf8.decode("msg", body);
        return text.startsWith("msg=")
                ? FormBody.submission(body)
                : new SendFields(text, null, null, null);
    }

    private Uni<Response> send(SendRequest request, Supplier<SendFields> body) {
        PublishRequest publication;
        try {
            rateLimit.check(request.address());
            publication = publication(request, body.get());
        } catch (TooManyRequests e) {
            publisher.limited();
            throw e;
        } catch (InvalidRequest | TextTooLarge e) {
            publisher.rejected();
            throw e;
        }
        Room room = publication.message().room();
        boolean asJson = request.acceptsJson();
        return publisher.publish(publication).map(receipt -> answer(receipt, room, asJson));
    }

    private PublishRequest publication(SendRequest request, SendFields body) {
        SendFields whole = body.orElse(request.query());
        Message message = whole.message(config.maxText().asLongValue(), clock.instant());
        return new PublishRequest(message, request.idempotencyKey());
    }

    private static Response answer(Receipt receipt, Room room, boolean asJson) {
        String id = receipt.id().toString();
        var answer = Response.ok().header("Event-Id", id);
        if (asJson) {
            var body = new ReceiptBody(id, room.name(), receipt.duplicate());
            return answer.entity(body).type(MediaType.APPLICATION_JSON_TYPE).build();
        }
        return answer.entity("ok").type(MediaType.TEXT_PLAIN_TYPE).build();
    }
}
