package dev.parley.http;

import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Sets the headers of all answers but those of the pages, whose headers are in the configuration: a
 * browser neither stores an answer nor takes it for another type than it says. Streams replace
 * {@code Cache-Control}.
 *
 * <p>Here and not in the configuration, whose filters match a regular expression with the path of
 * every request.
 */
@Singleton
final class AnswerHeaders {

    /** Like quarkus.http.filter.pages.matches, which sets the headers of the pages. */
    private static final Pattern PAGE_FILE = Pattern.compile("/(chat/)?[^/]*\\.(html|js|css|svg)");

    void register(@Observes Router router) {
        router.route().order(Integer.MIN_VALUE).handler(AnswerHeaders::set);
    }

    private static void set(RoutingContext exchange) {
        var headers = exchange.response().headers();
        // The answer names the origin of the page that asked, so a cache must not give it to a page
        // of another origin.
        headers.set("Vary", "Origin");
        if (!isPage(exchange.request().path())) {
            headers.set("X-Content-Type-Options", "nosniff");
            headers.set("Cache-Control", "no-store");
        }
        exchange.next();
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
