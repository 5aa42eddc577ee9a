package dev.parley.http;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

/**
 * Recognises pages of Parley's own origin behind a proxy that ends TLS. Such a page sends {@code
 * Origin: https://chat.example}, while the request reaches the pod by HTTP, so that the framework's
 * CORS filter would take it for a page from elsewhere. A trusted proxy says in {@code
 * X-Forwarded-Proto} how the browser asked; the header {@code Origin} is then dropped, because a
 * request from the same origin does not need it.
 */
@Singleton
public final class ForwardedOrigin {

    /** Marks a request whose origin was removed. */
    private static final String OWN = ForwardedOrigin.class.getName() + ".own";

    private final ClientAddress addresses;

    ForwardedOrigin(ClientAddress addresses) {
        this.addresses = addresses;
    }

    void register(@Observes Router router) {
        router.route().order(Integer.MIN_VALUE).handler(this::check);
    }

    /** Tells whether a request named the pod's own origin, and the header was dropped for it. */
    public static boolean wasOwn(RoutingContext exchange) {
        return Boolean.TRUE.equals(exchange.get(OWN));
    }

    private void check(RoutingContext exchange) {
        if (removeOwn(exchange.request())) {
            exchange.put(OWN, true);
        }
        exchange.next();
    }

    /**
     * Removes the origin of a request that comes from a page of the pod itself.
     *
     * @return whether it does
     */
    boolean removeOwn(HttpServerRequest request) {
        String origin = request.getHeader(HttpHeaders.ORIGIN);
        String scheme = request.getHeader("X-Forwarded-Proto");
        if (origin != null
                && scheme != null
                && addresses.isForwarded(request)
                && origin.equalsIgnoreCase(scheme + "://" + request.authority())) {
            request.headers().remove(HttpHeaders.ORIGIN);
            return true;
        }
        return false;
    }
}
