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
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Stops requests before they are anybody's: those that are too large, that come too slowly, or that
 * the router can not take. The framework would answer the first without a word, wait for the
 * second, and log the others as errors of its own. Keeps those back that come before their turn.
 */
@Singleton
public final class RequestGuard {

    /** Before everything that the framework does with a request. */
    private static final int FIRST = Integer.MIN_VALUE;

    /**
     * Longest target of a request, but for a publish, whose query may hold the text: a stream keeps
     * its target as long as it lives.
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
        boolean post = exchange.request().method().equals(HttpMethod.POST);
        if (exchange.request().uri().length() > MAX_TARGET) {
            if (!post || !exchange.request().path().equals(Endpoint.SEND.path())) {
                refuse(
                        exchange,
                        414,
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
            refuse(exchange, 413, "request too large: at most " + maxBody + " bytes are accepted");
            return;
        }
        long timer =
                exchange.vertx()
                        .setTimer(
                                requestTimeout.toMillis(),
                                late -> refuse(exchange, 408, "request too slow"));
        exchange.addEndHandler(end -> exchange.vertx().cancelTimer(timer));
        exchange.next();
    }

    /** The connection's decoder keeps as much memory as the longest request line took. */
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
            String what = withoutHost ? "it names no Host" : "its query is broken";
            refuse(exchange, 400, "bad request: " + what);
        } else {
            exchange.next();
        }
    }

    /** The rest of the request is not waited for, so the connection cannot serve another one. */
    private static void refuse(RoutingContext exchange, int status, String reason) {
        var response = exchange.response();
        if (response.headWritten()) {
            return;
        }
        List<MediaType> accepted = MediaTypeFilter.accepted(exchange).orElse(List.of());
        var problem = Problem.of(status, reason, accepted).build();
        response.setStatusCode(status)
                .putHeader("Content-Type", problem.getMediaType().toString())
                .putHeader("Connection", "close")
                .end((String) problem.getEntity())
                .onComplete(sent -> exchange.request().connection().close());
    }
}
