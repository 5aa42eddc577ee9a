package dev.parley.access;

import dev.parley.http.AllowedOrigins;
import dev.parley.http.ForwardedOrigin;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Singleton;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a token in a cookie counts. A browser sends a cookie with a request without being
 * asked to, also with one that another page made. So a request that changes something has to come
 * from a page of this origin, or of one that {@code quarkus.http.cors.origins} names; and while
 * that is {@code *}, no cookie counts.
 */
@Singleton
final class CookieRules {

    private static final String FETCH_SITE = "Sec-Fetch-Site";

    private final AllowedOrigins origins;

    CookieRules(
            @ConfigProperty(name = "quarkus.http.cors.origins") Optional<List<String>> origins) {
        this.origins = new AllowedOrigins(origins);
    }

    /**
     * Why a cookie does not count.
     *
     * @param sentence for the caller
     */
    record Problem(Denial denial, String sentence) {}

    /** Tells why the cookie of a request does not count; empty if it does. */
    Optional<Problem> check(RoutingContext exchange) {
        if (origins.areAll()) {
            return Optional.of(
                    new Problem(
                            Denial.COOKIE_WITHOUT_ORIGINS,
                            "the cookie is not accepted, because quarkus.http.cors.origins lets any"
                                    + " page use this pod; name the origins of your pages there, or"
                                    + " send Authorization: Bearer"));
        }
        HttpMethod method = exchange.request().method();
        boolean changes = !method.equals(HttpMethod.GET) && !method.equals(HttpMethod.HEAD);
        if (changes && !isOfAnAllowedPage(exchange)) {
            return Optional.of(
                    new Problem(
                            Denial.OTHER_ORIGIN,
                            "the cookie is not accepted: a request that changes something must come"
                                    + " from a page of this origin or of one in"
                                    + " quarkus.http.cors.origins (checked by Origin and"
                                    + " Sec-Fetch-Site)"));
        }
        return Optional.empty();
    }

    private boolean isOfAnAllowedPage(RoutingContext exchange) {
        HttpServerRequest request = exchange.request();
        String origin = request.getHeader(HttpHeaders.ORIGIN);
        if (origin != null && origins.contain(origin)) {
            return true;
        }
        String site = request.getHeader(FETCH_SITE);
        if (site != null) {
            // The browser has compared scheme, host and port itself.
            return site.equals("same-origin");
        }
        return origin == null ? ForwardedOrigin.wasOwn(exchange) : isOfHost(origin, request);
    }

    /** Compares host and port; a proxy that ends TLS leaves both as the browser sent them. */
    private static boolean isOfHost(String origin, HttpServerRequest request) {
        if (request.authority() == null) {
            return false;
        }
        @Nullable String host;
        int port;
        try {
            URI page = new URI(origin);
            host = page.getHost();
            port = page.getPort();
            if (port < 0) {
                port = "https".equals(page.getScheme()) ? 443 : 80;
            }
        } catch (URISyntaxException e) {
            return false;
        }
        int asked = request.authority().port();
        boolean samePort = asked == port || (asked < 0 && (port == 443 || port == 80));
        return request.authority().host().equalsIgnoreCase(host) && samePort;
    }
}
