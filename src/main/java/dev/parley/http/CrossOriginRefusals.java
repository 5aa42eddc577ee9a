package dev.parley.http;

import io.quarkus.vertx.http.runtime.VertxHttpConfig;
import io.quarkus.vertx.http.runtime.cors.CORSFilter;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.impl.RoutingContextDecorator;
import io.vertx.ext.web.impl.RoutingContextInternal;
import jakarta.inject.Singleton;

/**
 * Gives refusals that come before the framework's filters the CORS headers that all other answers
 * have. Without them a page of another origin could read neither the error nor Retry-After: for its
 * script the call would have failed as if the network were down.
 */
@Singleton
final class CrossOriginRefusals {

    private final boolean enabled;
    private final CORSFilter filter;
    private final ForwardedOrigin forwarded;

    CrossOriginRefusals(VertxHttpConfig config, ForwardedOrigin forwarded) {
        this.enabled = config.cors().enabled();
        this.filter = new CORSFilter(config.cors());
        this.forwarded = forwarded;
    }

    /**
     * Sets the headers. Ends the answer, as for any other request, if the origin is not allowed or
     * the request is a preflight.
     */
    void set(RoutingContext exchange) {
        var headers = exchange.response().headers();
        if (!enabled || headers.contains("Access-Control-Allow-Origin")) {
            return;
        }
        forwarded.removeOwn(exchange.request());
        headers.set("Vary", "Origin");
        filter.handle(
                new RoutingContextDecorator(
                        exchange.currentRoute(), (RoutingContextInternal) exchange) {
                    @Override
                    public void next() {
                        // The request goes no further.
                    }
                });
    }
}
