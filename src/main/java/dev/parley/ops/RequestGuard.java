package dev.parley.ops;

import dev.parley.publish.PublishConfig;
import io.quarkus.runtime.configuration.MemorySize;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Stops requests before they are anybody's: those that are too large, and those that come too
 * slowly. The framework would answer the first without a word, and wait for the others.
 */
@Singleton
public final class RequestGuard {

    /** Before everything that the framework does with a request. */
    private static final int FIRST = Integer.MIN_VALUE;

    private final long maxBody;
    private final PublishConfig config;

    RequestGuard(
            @ConfigProperty(name = "quarkus.http.limits.max-body-size") MemorySize maxBody,
            PublishConfig config) {
        this.maxBody = maxBody.asLongValue();
        this.config = config;
    }

    void guard(@Observes Router router) {
        router.route().order(FIRST).method(HttpMethod.POST).handler(this::check);
        router.errorHandler(
                400, exchange -> refuse(exchange, 400, "bad request: its query is broken"));
    }

    private void check(RoutingContext exchange) {
        if (announcedLength(exchange) > maxBody) {
            refuse(exchange, 413, "request too large: at most " + maxBody + " bytes are accepted");
            return;
        }
        long timer =
                exchange.vertx()
                        .setTimer(
                                config.requestTimeout().toMillis(),
                                late -> refuse(exchange, 408, "request too slow"));
        exchange.addEndHandler(end -> exchange.vertx().cancelTimer(timer));
        exchange.next();
    }

    private static long announcedLength(RoutingContext exchange) {
        String length = exchange.request().getHeader("Content-Length");
        return length != null && length.matches("[0-9]{1,18}") ? Long.parseLong(length) : 0;
    }

    /** The rest of the request is not waited for, so the connection cannot serve another one. */
    private static void refuse(RoutingContext exchange, int status, String reason) {
        var response = exchange.response();
        if (response.headWritten()) {
            return;
        }
        response.setStatusCode(status)
                .putHeader("Content-Type", "text/plain;charset=utf-8")
                .putHeader("Connection", "close")
                .end(reason + "\n")
                .onComplete(sent -> exchange.request().connection().close());
    }
}
