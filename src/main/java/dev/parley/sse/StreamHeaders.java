package dev.parley.sse;

import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;

/** What the head of an event stream says to proxies and browsers. */
public final class StreamHeaders {

    private StreamHeaders() {}

    /**
     * Sets them at the last moment, since the framework sets a content type of its own:
     *
     * <ul>
     *   <li>{@code no-cache}: no answer from a store;
     *   <li>{@code no-transform}: no proxy compresses, and by that buffers, the stream (RFC 9111
     *       §5.2.2.6);
     *   <li>{@code X-Accel-Buffering: no}: nginx passes every byte on at once.
     * </ul>
     */
    public static void set(RoutingContext exchange) {
        exchange.addHeadersEndHandler(
                sent ->
                        exchange.response()
                                .headers()
                                .set(HttpHeaders.CONTENT_TYPE, "text/event-stream;charset=utf-8")
                                .set(HttpHeaders.CACHE_CONTROL, "no-cache, no-transform")
                                .set("X-Accel-Buffering", "no")
                                .remove("X-SSE-Content-Type"));
    }
}
