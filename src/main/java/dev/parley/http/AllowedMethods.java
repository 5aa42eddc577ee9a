package dev.parley.http;

import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import java.util.Optional;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;

/**
 * Says which methods the path of a request has, as the header {@code Allow} lists them. The
 * framework would list HEAD for each call, also for one that is for POST only, and knows nothing of
 * the pages.
 */
public final class AllowedMethods {

    private static final String OF_A_PAGE = "GET, HEAD, OPTIONS";

    /** Where the framework finds the pages in the class path. */
    private static final String PAGES = "META-INF/resources";

    /** Answers OPTIONS, unless the path is neither that of a call nor of a page. */
    @ServerRequestFilter(preMatching = true)
    public Optional<Response> options(RoutingContext exchange) {
        if (!exchange.request().method().equals(HttpMethod.OPTIONS)) {
            return Optional.empty();
        }
        return at(exchange.normalizedPath())
                .map(allowed -> Response.ok().header(HttpHeaders.ALLOW, allowed).build());
    }

    /** Lists the methods of a path, which must be normalized; empty if there is no such path. */
    static Optional<String> at(String path) {
        return Endpoint.at(path)
                .map(Endpoint::allowed)
                .or(() -> isPage(path) ? Optional.of(OF_A_PAGE) : Optional.empty());
    }

    /** Tells whether a path, which must be normalized, is that of a page or of a file of one. */
    static boolean isPage(String path) {
        String file = path.equals("/") ? "/index.html" : path;
        return AnswerHeaders.isPage(path)
                && AllowedMethods.class.getClassLoader().getResource(PAGES + file) != null;
    }
}
