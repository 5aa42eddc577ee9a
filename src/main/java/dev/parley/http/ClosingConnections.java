package dev.parley.http;

import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Singleton;
import jakarta.ws.rs.core.MediaType;
import java.time.Duration;

/**
 * Closes the connections of HTTP/1 after their next answers when the pod is about to end. Without
 * this, clients would go on sending on their connections until the server closes them all, and
 * would not learn what became of the publishes that it cuts. HTTP/2 has GOAWAY for that, which the
 * framework sends. Thread-safe.
 */
@Singleton
public final class ClosingConnections {

    private volatile boolean closing;

    /** When a request last came on HTTP/1, since connections are closed. */
    private volatile long lastRequestNanos;

    ClosingConnections() {}

    /**
     * Has each HTTP/1 connection closed after its next answer, the answer to a request that is
     * being served included.
     */
    public void closeAfterAnswers() {
        lastRequestNanos = System.nanoTime();
        closing = true;
    }

    /**
     * Returns for how long no request has come on HTTP/1, counted from {@link #closeAfterAnswers}
     * on. When it is long enough, no client is using a connection that it would have to give up.
     */
    public Duration sinceLastRequest() {
        return Duration.ofNanos(System.nanoTime() - lastRequestNanos);
    }

    /** Notes that a request is going to be served, before its answer has begun. */
    void onRequest(RoutingContext exchange) {
        if (closing && exchange.request().version() != HttpVersion.HTTP_2) {
            lastRequestNanos = System.nanoTime();
        }
        exchange.addHeadersEndHandler(head -> onHead(exchange));
    }

    /** Called before the head of an answer is sent. The drain ends streams. */
    private void onHead(RoutingContext exchange) {
        if (!closing || exchange.request().version() == HttpVersion.HTTP_2) {
            return;
        }
        String type = exchange.response().headers().get("Content-Type");
        boolean streams =
                type != null
                        && type.startsWith(MediaType.SERVER_SENT_EVENTS)
                        && !exchange.request().method().equals(HttpMethod.HEAD);
        closeAfterAnswer(exchange, streams);
    }

    /**
     * Closes a connection of HTTP/1 after an answer, unless a stream takes it over.
     *
     * @param isStream whether the answer is a stream. It is not told to close: the server would
     *     close its connection as soon as the stream has taken it over.
     */
    static void closeAfterAnswer(RoutingContext exchange, boolean isStream) {
        if (!isStream) {
            exchange.response().putHeader("Connection", "close");
        }
        exchange.addEndHandler(
                end -> {
                    if (!PipelinedRequests.isTakenOver(exchange.request())) {
                        exchange.request().connection().close();
                    }
                });
    }
}
