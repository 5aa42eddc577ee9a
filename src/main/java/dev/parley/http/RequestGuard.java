package dev.parley.http;

import io.quarkus.runtime.configuration.MemorySize;
import io.vertx.core.VertxException;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import jakarta.ws.rs.core.MediaType;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Refuses requests before the framework sees them: those that are too large, that arrive too
 * slowly, or that the router cannot parse. The framework would answer the first without a reason,
 * wait for the second without a limit, and log the third as errors of the server. Also makes
 * pipelined requests wait for their turn ({@link PipelinedRequests}).
 */
@Singleton
public final class RequestGuard {

    /** Route order that runs before every handler of the framework. */
    private static final int FIRST = Integer.MIN_VALUE;

    /**
     * Longest target of a request, in bytes. A publish may have a longer one, because its query can
     * hold the text. Others may not, because a stream keeps its target in memory until it ends.
     */
    private static final int MAX_TARGET = 4096;

    private final long maxBody;
    private final Duration requestTimeout;

    RequestGuard(
            @ConfigProperty(name = "quarkus.http.limits.max-body-size") MemorySize maxBody,
            @ConfigProperty(name = "parley.publish.request-timeout") Duration requestTimeout) {
        this.maxBody = maxBody.asLongValue();
        this.requestTimeout = requestTimeout;
    }

    void guard(@Observes Router router) {
        router.route().order(FIRST).handler(this::check).failureHandler(RequestGuard::failed);
    }

    private void check(RoutingContext exchange) {
        PipelinedRequests.hold(exchange.request());
        Optional<String> fault = RequestTarget.fault(exchange.request());
        if (fault.isPresent()) {
            refuse(exchange, ErrorCode.BAD_TARGET, fault.get());
            return;
        }
        boolean post = exchange.request().method().equals(HttpMethod.POST);
        if (exchange.request().uri().length() > MAX_TARGET) {
            if (!post || !exchange.request().path().equals(Endpoint.SEND.path())) {
                refuse(
                        exchange,
                        ErrorCode.URI_TOO_LONG,
                        "URI too long: at most " + MAX_TARGET + " bytes are accepted");
                return;
            }
            closeAfterwards(exchange);
        }
        if (post) {
            checkBody(exchange);
        } else {
            exchange.next();
        }
    }

    private void checkBody(RoutingContext exchange) {
        if (announcedLength(exchange) > maxBody) {
            refuse(
                    exchange,
                    ErrorCode.REQUEST_TOO_LARGE,
                    "request too large: at most " + maxBody + " bytes are accepted");
            return;
        }
        long timer =
                exchange.vertx()
                        .setTimer(
                                requestTimeout.toMillis(),
                                late ->
                                        refuse(
                                                exchange,
                                                ErrorCode.REQUEST_TOO_SLOW,
                                                "request too slow: it was not received and"
                                                        + " answered within "
                                                        + requestTimeout.toMillis()
                                                        + " ms"));
        exchange.addEndHandler(end -> exchange.vertx().cancelTimer(timer));
        exchange.next();
    }

    /**
     * Closes the connection after the answer, since its decoder keeps a buffer as large as the
     * longest request line for as long as the connection is open.
     */
    private static void closeAfterwards(RoutingContext exchange) {
        if (exchange.request().version() != HttpVersion.HTTP_2) {
            exchange.response().putHeader("Connection", "close");
            exchange.addEndHandler(end -> exchange.request().connection().close());
        }
    }

    private static long announcedLength(RoutingContext exchange) {
        String length = exchange.request().getHeader("Content-Length");
        return length != null && length.matches("[0-9]{1,18}") ? Long.parseLong(length) : 0;
    }

    private static void failed(RoutingContext exchange) {
        if (exchange.statusCode() == 400) {
            boolean withoutHost = exchange.failure() instanceof VertxException;
            String detail =
                    withoutHost
                            ? "bad request: the Host header is missing"
                            : "bad request: the query cannot be decoded; write a % in it as %25";
            refuse(exchange, ErrorCode.BAD_REQUEST, detail);
        } else {
            exchange.next();
        }
    }

    /** Answers, and closes the connection, on which the rest of the request may still arrive. */
    private static void refuse(RoutingContext exchange, ErrorCode code, String detail) {
        var response = exchange.response();
        if (response.headWritten()) {
            return;
        }
        List<MediaType> accepted = ContentNegotiation.accepted(exchange).orElse(List.of());
        var problem = Problem.of(code, detail, accepted).build();
        response.setStatusCode(code.status())
                .putHeader("Content-Type", problem.getMediaType().toString())
                .putHeader("X-Content-Type-Options", "nosniff")
                .putHeader("Cache-Control", "no-store")
                .putHeader("Connection", "close")
                .end((String) problem.getEntity())
                .onComplete(sent -> exchange.request().connection().close());
    }
}
