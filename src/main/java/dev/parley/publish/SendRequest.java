package dev.parley.publish;

import dev.parley.broker.IdempotencyKey;
import dev.parley.http.AcceptHeader;
import io.vertx.core.http.HttpServerRequest;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import java.util.Optional;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.jspecify.annotations.Nullable;

/**
 * What a publish request says beside its body.
 *
 * <p>The query's fields are here to be described; they are read like a form body, since the
 * framework repairs broken UTF-8 and takes bytes that are not percent-encoded, as curl sends them,
 * for Latin-1.
 */
public final class SendRequest {

    @QueryParam("msg")
    @Parameter(description = "the text, if there is no body")
    @Nullable String msg;

    @QueryParam("room")
    @Parameter(description = "where to say it, the lobby by default")
    @Nullable String room;

    @QueryParam("from")
    @Parameter(description = "who says it")
    @Nullable String from;

    @QueryParam("event")
    @Parameter(description = "the type that browsers dispatch it as, message by default")
    @Nullable String event;

    @HeaderParam("Idempotency-Key")
    @Parameter(description = "makes a repeat within five minutes publish nothing")
    @Nullable String key;

    @Context HttpHeaders headers;
    @Context HttpServerRequest request;

    /** Made by the framework, which sets the fields. */
    @SuppressWarnings("NullAway.Init")
    public SendRequest() {}

    SendFields query() {
        String query = request.query();
        return FormBody.submission(query == null ? "" : query);
    }

    /**
     * @throws dev.parley.message.InvalidRequest if it is not one
     */
    Optional<IdempotencyKey> idempotencyKey() {
        return Optional.ofNullable(key).map(IdempotencyKey::new);
    }

    String address() {
        return request.remoteAddress().hostAddress();
    }

    boolean acceptsJson() {
        return AcceptHeader.json(headers.getAcceptableMediaTypes());
    }
}
