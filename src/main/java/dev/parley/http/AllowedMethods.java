package dev.parley.http;

import io.vertx.core.Future;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
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
    private static final String OF_THE_SERVER = "GET, HEAD, POST, OPTIONS";

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

    /** Tells whether a request asks for the methods of the whole server (RFC 9110 §9.3.7). */
    static boolean isAskedOfServer(HttpServerRequest request) {
        return request.method().equals(HttpMethod.OPTIONS) && "*".equals(request.uri());
    }

    /**
     * Answers {@code OPTIONS *}, which the router fails without calling any handler. Closes the
     * connection on HTTP/1, as after each request that no handler has counted.
     */
    static void answerOfServer(RoutingContext exchange, CrossOriginRefusals crossOrigin) {
        HttpServerResponse response = exchange.response();
        boolean closes = exchange.request().version() != HttpVersion.HTTP_2;
        if (closes) {
            response.putHeader("Connection", "close");
        }
        AnswerHeaders.setOfCall(response.headers());
        crossOrigin.set(exchange);
        Future<Void> answered = Future.succeededFuture();
        if (crossOrigin.isIncomparable(exchange.request())) {
            answered = response.setStatusCode(CrossOriginRefusals.FORBIDDEN).end();
        } else if (!response.ended()) {
            // It was ended if it is a preflight, or comes from a page that may not talk to this
            // server.
            answered = response.putHeader(HttpHeaders.ALLOW, OF_THE_SERVER).end();
        }
        if (closes) {
            answered.onComplete(sent -> exchange.request().connection().close());
        }
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
