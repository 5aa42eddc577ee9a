package dev.parley.http;

import io.quarkus.vertx.http.runtime.VertxHttpConfig;
import io.quarkus.vertx.http.runtime.cors.CORSFilter;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.impl.RoutingContextDecorator;
import io.vertx.ext.web.impl.RoutingContextInternal;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.net.URI;
import java.net.URISyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * Gives refusals that come before the framework's filters the CORS headers that all other answers
 * have. Without them a page of another origin could read neither the error nor Retry-After: for its
 * script the call would have failed as if the network were down.
 *
 * <p>Also refuses, in place of the framework's filter, the pages that it cannot compare with the
 * pod ({@link #isIncomparable}).
 */
@Singleton
final class CrossOriginRefusals {

    /** After {@link RequestGuard} and {@link ForwardedOrigin}, before the framework's filters. */
    private static final int EARLY = Integer.MIN_VALUE + 1;

    /** The status with which the framework's filter refuses pages, with an empty body. */
    static final int FORBIDDEN = 403;

    private final boolean enabled;
    private final AllowedOrigins origins;
    private final CORSFilter filter;
    private final ForwardedOrigin forwarded;

    CrossOriginRefusals(VertxHttpConfig config, ForwardedOrigin forwarded) {
        this.enabled = config.cors().enabled();
        this.origins = new AllowedOrigins(config.cors().origins());
        this.filter = new CORSFilter(config.cors());
        this.forwarded = forwarded;
    }

    void register(@Observes Router router) {
        if (enabled) {
            router.route().order(EARLY).handler(this::check);
        }
    }

    private void check(RoutingContext exchange) {
        if (isIncomparable(exchange.request())) {
            exchange.response().setStatusCode(FORBIDDEN).end();
        } else {
            exchange.next();
        }
    }

    /**
     * Sets the headers. Ends the answer, as for any other request, if the origin is not allowed or
     * the request is a preflight. Sets none of CORS if the origin cannot be compared with the pod:
     * such a request keeps the refusal that it has.
     */
    void set(RoutingContext exchange) {
        var headers = exchange.response().headers();
        if (!enabled || headers.contains("Access-Control-Allow-Origin")) {
            return;
        }
        forwarded.removeOwn(exchange.request());
        headers.set("Vary", "Origin");
        if (isIncomparable(exchange.request())) {
            return;
        }
        filter.handle(
                new RoutingContextDecorator(
                        exchange.currentRoute(), (RoutingContextInternal) exchange) {
                    @Override
                    public void next() {
                        // The request goes no further.
                    }
                });
    }

    /**
     * Tells whether the framework's filter would fail with an exception where it compares the
     * origin of a page, which is not listed, with that of the pod. It compares the hosts of two
     * URIs, and the request's has none if the header {@code Host} is missing, or if it is not a
     * hostname to {@link URI}: the one in {@code Host: a_b} is not, and nginx sends it if its
     * upstream has that name. The page is then of another origin, as the filter compares the texts
     * before the hosts.
     */
    boolean isIncomparable(HttpServerRequest request) {
        String origin = request.getHeader(HttpHeaders.ORIGIN);
        if (!enabled || origin == null || origins.contain(origin)) {
            return false;
        }
        // On HTTP/2 the framework cannot read the scheme of CONNECT, which has none.
        if (request.method().equals(HttpMethod.CONNECT) || request.authority() == null) {
            return true;
        }
        return origin.startsWith(request.scheme() + "://")
                && !isOwn(origin, request)
                && !hasHost(request.absoluteURI());
    }

    /** Compares with the header as it came too: there a port may have zeros in front. */
    private static boolean isOwn(String origin, HttpServerRequest request) {
        String authority = request.authority().toString();
        String written = request.getHeader(HttpHeaders.HOST);
        return origin.equals(request.scheme() + "://" + authority)
                && (written == null || written.equals(authority));
    }

    /**
     * @param uri that of a request; null for {@code OPTIONS *}
     */
    private static boolean hasHost(@Nullable String uri) {
        try {
            return uri != null && new URI(uri).getHost() != null;
        } catch (URISyntaxException e) {
            return false;
        }
    }
}
