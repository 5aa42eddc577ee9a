package dev.parley.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.parley.broker.BrokerUnavailable;
import dev.parley.broker.IdempotencyKeyReused;
import dev.parley.message.InvalidRequest;
import io.vertx.core.Future;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.List;
import java.util.Optional;
import org.jboss.logging.Logger;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

/**
 * Answers a failed request: with {@code application/problem+json} (RFC 9457) if the caller accepts
 * JSON, else with the detail alone, as one line of text. Both say what is wrong and what to do.
 *
 * <p>The framework calls the methods that map an exception; code that refuses a request before it
 * reaches a call uses {@link #of}.
 */
public final class Problem {

    private static final Logger LOG = Logger.getLogger(Problem.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final MediaType PROBLEM_JSON = new MediaType("application", "problem+json");

    /** In seconds: by then, Redis has usually returned or been replaced. */
    private static final int BROKER_RETRY_AFTER = 2;

    /** Answers a value that breaks the rules of a message, a room or a key. */
    @ServerExceptionMapper
    public Response invalid(InvalidRequest failure, HttpHeaders headers) {
        ErrorCode code = ErrorCode.named(failure.code()).orElse(ErrorCode.BAD_REQUEST);
        return of(code, detail(failure), headers).build();
    }

    /** Answers a request that a call refused. */
    @ServerExceptionMapper
    public Response refused(RefusedRequest failure, HttpHeaders headers) {
        Response.ResponseBuilder answer = of(failure.code(), detail(failure), headers);
        failure.retryAfter()
                .ifPresent(pause -> answer.header(HttpHeaders.RETRY_AFTER, pause.toSeconds() + 1));
        authenticate(failure)
                .ifPresent(challenge -> answer.header(HttpHeaders.WWW_AUTHENTICATE, challenge));
        if (failure.code() == ErrorCode.UNSUPPORTED_ENCODING) {
            // RFC 9110 §15.5.16: distinguishes it from an unsupported media type.
            answer.header(HttpHeaders.ACCEPT_ENCODING, "gzip");
        }
        return answer.build();
    }

    /** Returns what tells a client which token it has to bring (RFC 6750 §3). */
    private static Optional<String> authenticate(RefusedRequest failure) {
        return switch (failure.code()) {
            case UNAUTHORIZED -> Optional.of("Bearer");
            case INVALID_TOKEN -> Optional.of(challenge("invalid_token", failure));
            case FORBIDDEN -> Optional.of(challenge("insufficient_scope", failure));
            case TOKEN_IN_URL -> Optional.of(challenge("invalid_request", failure));
            default -> Optional.empty();
        };
    }

    private static String challenge(String error, RefusedRequest failure) {
        // RFC 6750 §3: printable ASCII without the quotation mark and the backslash.
        String description = detail(failure).replaceAll("[^\\x20-\\x7e]|[\"\\\\]", "?");
        return "Bearer error=\"" + error + "\", error_description=\"" + description + '"';
    }

    /** Answers a request that the broker did not confirm in time. */
    @ServerExceptionMapper
    public Response unavailable(
            BrokerUnavailable failure, HttpHeaders headers, HttpServerRequest request) {
        LOG.debugf("%s %s: %s", request.method(), request.path(), failure.getMessage());
        Endpoint call =
                Endpoint.at(request.method().name(), String.valueOf(request.path())).orElse(null);
        String detail =
                call == null
                        ? "failed: " + failure.getMessage() + "; try again soon"
                        : unavailable(call, failure);
        return of(ErrorCode.UNAVAILABLE, detail, headers)
                .header(HttpHeaders.RETRY_AFTER, BROKER_RETRY_AFTER)
                .build();
    }

    private static String unavailable(Endpoint call, BrokerUnavailable failure) {
        return switch (call) {
            case SEND ->
                    "publish failed: "
                            + failure.getMessage()
                            + "; the message may be published all the same, so repeat it soon"
                            + " with the same Idempotency-Key to publish it once";
            case REVOCATIONS ->
                    "revocation failed: "
                            + failure.getMessage()
                            + "; the rights may be revoked all the same, so repeat it soon";
            case TICKETS -> "no ticket: " + failure.getMessage() + "; try again soon";
            default -> "read failed: " + failure.getMessage() + "; try again soon";
        };
    }

    /** Answers a publish whose key was used for another message before. */
    @ServerExceptionMapper
    public Response keyReused(IdempotencyKeyReused failure, HttpHeaders headers) {
        return of(ErrorCode.IDEMPOTENCY_KEY_REUSED, String.valueOf(failure.getMessage()), headers)
                .build();
    }

    /** Answers a request that the framework matched with no call. */
    @ServerExceptionMapper
    public Response unmatched(
            WebApplicationException failure, HttpHeaders headers, RoutingContext exchange) {
        Optional<Endpoint> endpoint =
                Endpoint.at(exchange.request().method().name(), exchange.normalizedPath());
        Optional<String> allowed = AllowedMethods.at(exchange.normalizedPath());
        ErrorCode code = code(failure.getResponse().getStatus());
        if (code == ErrorCode.NOT_FOUND && endpoint.isEmpty() && allowed.isPresent()) {
            // A page, which the framework does not find with another method than GET and HEAD.
            code = ErrorCode.METHOD_NOT_ALLOWED;
        }
        if (code == ErrorCode.INTERNAL_ERROR) {
            UncaughtErrors.log(exchange, failure);
        }
        Response.ResponseBuilder answer = of(code, detail(code, endpoint, failure), headers);
        if (code == ErrorCode.METHOD_NOT_ALLOWED) {
            // RFC 9110 §15.5.6 requires it, and the framework does not send it.
            allowed.ifPresent(methods -> answer.header(HttpHeaders.ALLOW, methods));
        }
        return answer.build();
    }

    private static ErrorCode code(int status) {
        return switch (status) {
            case 404 -> ErrorCode.NOT_FOUND;
            case 405 -> ErrorCode.METHOD_NOT_ALLOWED;
            case 406 -> ErrorCode.NOT_ACCEPTABLE;
            case 413 -> ErrorCode.REQUEST_TOO_LARGE;
            case 415 -> ErrorCode.UNSUPPORTED_MEDIA_TYPE;
            default -> status < 500 ? ErrorCode.BAD_REQUEST : ErrorCode.INTERNAL_ERROR;
        };
    }

    private static String detail(
            ErrorCode code, Optional<Endpoint> endpoint, WebApplicationException failure) {
        return switch (code) {
            case NOT_FOUND -> "not found: the calls are " + Endpoint.all();
            case METHOD_NOT_ALLOWED ->
                    endpoint.map(known -> "method not allowed: " + known.callsOfPath())
                            .orElse("method not allowed: a page is for GET and HEAD");
            case NOT_ACCEPTABLE ->
                    endpoint.map(Problem::notAcceptable)
                            .orElse("not acceptable: the calls are " + Endpoint.all());
            case REQUEST_TOO_LARGE ->
                    "request too large: the body is longer than the server accepts";
            case UNSUPPORTED_MEDIA_TYPE ->
                    "unsupported media type: "
                            + endpoint.flatMap(Endpoint::body)
                                    .map(body -> body + " is expected")
                                    .orElse("the calls are " + Endpoint.all());
            case INTERNAL_ERROR -> UncaughtErrors.DETAIL;
            default -> detail(failure);
        };
    }

    /** Tells the client of a call that it accepts none of the call's answers. */
    static String notAcceptable(Endpoint call) {
        return "not acceptable: %s answers %s".formatted(call, call.answer());
    }

    private static String detail(Throwable failure) {
        return String.valueOf(failure.getMessage());
    }

    private static Response.ResponseBuilder of(ErrorCode code, String detail, HttpHeaders headers) {
        return of(code, detail, headers.getAcceptableMediaTypes());
    }

    /**
     * Sends a problem outside of the calls, in place of an answer that has not begun.
     *
     * @param detail one sentence: what is wrong, and what to do
     */
    static Future<Void> send(RoutingContext exchange, ErrorCode code, String detail) {
        List<MediaType> accepted = ContentNegotiation.accepted(exchange).orElse(List.of());
        Response problem = of(code, detail, accepted).build();
        return exchange.response()
                .setStatusCode(problem.getStatus())
                .putHeader("Content-Type", problem.getMediaType().toString())
                .putHeader("X-Content-Type-Options", "nosniff")
                .putHeader("Cache-Control", "no-store")
                // The router may have refused it before any handler set headers.
                .putHeader("Date", HttpDate.now())
                .end((String) problem.getEntity());
    }

    /**
     * Builds the answer for a caller.
     *
     * @param detail one sentence: what is wrong, and what to do
     * @param accepted the media types that the caller reads
     */
    static Response.ResponseBuilder of(ErrorCode code, String detail, List<MediaType> accepted) {
        String line = detail.replaceAll("[\\r\\n]+", " ");
        if (!ContentNegotiation.acceptsProblemJson(accepted)) {
            return Response.status(code.status())
                    .type(MediaType.TEXT_PLAIN_TYPE.withCharset("utf-8"))
                    .entity(line + "\n");
        }
        var body =
                JSON.createObjectNode()
                        .put("type", code.type())
                        .put("code", code.code())
                        .put("title", code.title())
                        .put("status", code.status())
                        .put("detail", line);
        return Response.status(code.status()).type(PROBLEM_JSON).entity(body.toString());
    }
}
