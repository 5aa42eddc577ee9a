package dev.parley.sse;

import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;

/** The headers of an event stream. */
public final class StreamHeaders {

    /** The type of an event stream, as it is sent. */
    static final String CONTENT_TYPE = "text/event-stream;charset=utf-8";

    private StreamHeaders() {}

    /**
     * Has the headers set just before they are sent, because the framework overwrites earlier ones:
     *
     * <ul>
     *   <li>{@code no-cache}: caches must not answer with a stored stream;
     *   <li>{@code no-transform}: proxies must not compress the stream, which would buffer it (RFC
     *       9111 §5.2.2.6);
     *   <li>{@code X-Accel-Buffering: no}: nginx passes every byte on at once.
     * </ul>
     */
    public static void set(RoutingContext exchange) {
        exchange.addHeadersEndHandler(
                sent ->
                        exchange.response()
                                .headers()
                                .set(HttpHeaders.CONTENT_TYPE, CONTENT_TYPE)
                                .set(HttpHeaders.CACHE_CONTROL, "no-cache, no-transform")
                                .set("X-Accel-Buffering", "no")
                                // The framework tells its own client the type of the data.
                                .remove("X-SSE-Content-Type")
                                // The framework gives the answer to HEAD a length of 0.
                                .remove(HttpHeaders.CONTENT_LENGTH));
    }
}
