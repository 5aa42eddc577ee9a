package dev.parley.http;

import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Sets the headers of all answers but the pages, whose headers are in the configuration: a browser
 * neither stores an answer nor takes it for another type than it says. Streams replace {@code
 * Cache-Control}. Every answer has {@code Date}, pages too.
 *
 * <p>Here and not in the configuration, whose filters match a regular expression with the path of
 * every request.
 */
@Singleton
final class AnswerHeaders {

    private static final String NOT_STORED = "no-store";

    /** Like quarkus.http.filter.pages.matches, which sets the headers of the pages. */
    private static final Pattern PAGE_FILE = Pattern.compile("/(chat/)?[^/]*\\.(html|js|css|svg)");

    void register(@Observes Router router) {
        router.route().order(Integer.MIN_VALUE).handler(AnswerHeaders::set);
    }

    private static void set(RoutingContext exchange) {
        HttpMethod method = exchange.request().method();
        boolean reads = method.equals(HttpMethod.GET) || method.equals(HttpMethod.HEAD);
        if (reads && isPage(exchange.request().path())) {
            setOfAll(exchange.response().headers());
            exchange.addHeadersEndHandler(head -> onHeadOfPage(exchange));
        } else {
            setOfCall(exchange.response().headers());
        }
        exchange.next();
    }

    /** Sets the headers of an answer that is not a page. */
    static void setOfCall(MultiMap headers) {
        setOfAll(headers);
        headers.set("X-Content-Type-Options", "nosniff");
        headers.set("Cache-Control", NOT_STORED);
    }

    private static void setOfAll(MultiMap headers) {
        // The answer names the origin of the page that asked, so a cache must not give it to a page
        // of another origin.
        headers.set("Vary", "Origin");
        headers.set("Date", HttpDate.now());
    }

    /** Called before the head of the answer to a request for a page is sent. */
    private static void onHeadOfPage(RoutingContext exchange) {
        HttpServerResponse answer = exchange.response();
        if (answer.getStatusCode() >= 400) {
            // The configuration has set that of the page.
            answer.putHeader("Cache-Control", NOT_STORED);
        } else if (answer.getStatusCode() == 200
                && exchange.request().method().equals(HttpMethod.HEAD)
                && !answer.headers().contains("Content-Type")) {
            answer.putHeader("Content-Type", typeOfPage(exchange.request().path()));
        }
    }

    /** The media type with which Vert.x answers GET; it answers HEAD without one. */
    private static String typeOfPage(String path) {
        return switch (path.substring(path.lastIndexOf('.') + 1)) {
            case "js" -> "text/javascript;charset=UTF-8";
            case "css" -> "text/css;charset=UTF-8";
            case "svg" -> "image/svg+xml";
            default -> "text/html;charset=UTF-8";
        };
    }

    /** Tells whether a path is that of a page or of a file of one, if there is such a file. */
    static boolean isPage(@Nullable String path) {
        if (path == null) {
            // The target of OPTIONS *.
            return false;
        }
        boolean hasSuffix = path.lastIndexOf('.') > path.lastIndexOf('/');
        return path.equals("/") || (hasSuffix && PAGE_FILE.matcher(path).matches());
    }
}
