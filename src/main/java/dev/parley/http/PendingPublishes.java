package dev.parley.http;

import dev.parley.http.ServerBounds.Bound;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Bounds the bytes of publishes that have arrived completely and wait for the broker. While it is
 * slow, clients could otherwise make the pod hold as many as they can send, also when they close
 * their connections at once; and one address could use up the commands that may wait for the broker
 * at a time, so that the publishes of all others were refused.
 */
@Singleton
public final class PendingPublishes {

    /**
     * What a publish counts beside its body: about what it takes in memory. With the default of the
     * budget one address may have a thousand short ones pending.
     */
    static final int PUBLISH_BYTES = 8 * 1024;

    /** Bodies up to this length are read without asking {@link #hasRoom}. */
    static final int SHORT = 4096;

    /** Detail of the refusal. */
    static final String REFUSAL =
            "overloaded: too many publishes wait for their turn; repeat this one after the seconds"
                    + " in Retry-After";

    private static final Duration RETRY_AFTER = Duration.ofSeconds(2);

    private final ServerBounds bounds;
    private final ClientAddress clientAddress;
    private final ProxyAdvice proxyAdvice;

    PendingPublishes(ServerBounds bounds, ClientAddress clientAddress, ProxyAdvice proxyAdvice) {
        this.bounds = bounds;
        this.clientAddress = clientAddress;
        this.proxyAdvice = proxyAdvice;
    }

    /**
     * Returns the longest body of a publish that has room while no other publish waits, in bytes. A
     * longer one would get {@code Retry-After} each time, and never be accepted.
     */
    long longestBody() {
        return Math.max(0, bounds.pending().mostOfAddress() - PUBLISH_BYTES);
    }

    /**
     * Tells whether a publish would have room now, so that a body for which there is none need not
     * be read: thousands of long ones, read and decoded only to be refused, would keep their event
     * loop from serving others.
     *
     * @param bytes the length of the body that the request announces
     */
    boolean hasRoom(RoutingContext exchange, long bytes) {
        String client = clientAddress.of(exchange.request());
        return bounds.pending().hasRoom(client, bytes + PUBLISH_BYTES);
    }

    /** Counts a publish that is refused because there is no room for it. */
    void onRefused(RoutingContext exchange) {
        bounds.onMet(Bound.PENDING_BYTES);
        proxyAdvice.onLimitMet(exchange.request(), "parley.limits.pending-bytes");
    }

    /**
     * Counts a publish until the broker has answered, whether or not its client is still connected.
     * Call it on the connection's event loop.
     *
     * @param body length of the body, in bytes
     * @param text the most that its text takes when it is encoded, in bytes
     * @throws RefusedRequest if the pod, or the client's address, holds too many bytes, or if this
     *     publish alone is longer than {@link #longestBody}
     */
    public Pending hold(RoutingContext exchange, long body, long text) {
        ConnectionGuard connection = ConnectionGuard.of(exchange.request());
        if (connection != null) {
            connection.endBody(exchange.request());
        }
        if (body > longestBody()) {
            throw RefusedRequest.tooLarge(longestBody());
        }
        if (text > longestBody()) {
            throw new RefusedRequest(
                    ErrorCode.REQUEST_TOO_LARGE,
                    "request too large: with the escapes that it may take the text has "
                            + text
                            + " bytes, and at most "
                            + longestBody()
                            + " are accepted");
        }
        String client = clientAddress.of(exchange.request());
        long counted = Math.max(body, text) + PUBLISH_BYTES;
        if (!bounds.pending().tryTake(client, counted)) {
            onRefused(exchange);
            throw RefusedRequest.retryable(ErrorCode.OVERLOADED, REFUSAL, RETRY_AFTER);
        }
        return new Pending(client, counted);
    }

    /** A publish that is counted. Thread-safe. */
    public final class Pending {

        private final String client;
        private final long bytes;
        private final AtomicBoolean ended = new AtomicBoolean();

        private Pending(String client, long bytes) {
            this.client = client;
            this.bytes = bytes;
        }

        /** Ends the count; does nothing the second time. */
        public void end() {
            if (ended.compareAndSet(false, true)) {
                bounds.pending().release(client, bytes);
            }
        }
    }
}
