package dev.parley.http;

import dev.parley.http.ServerBounds.Bound;
import io.netty.handler.codec.http2.Http2Error;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Singleton;
import java.time.Duration;

/**
 * Bounds the bytes of large answers that are being made or that their clients have not taken. A
 * client that takes no bytes (HTTP/2 with a window of 0) would otherwise make the pod hold each
 * answer that it asks for.
 */
@Singleton
public final class PendingAnswers {

    private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

    private final ServerBounds bounds;
    private final ClientAddress clientAddress;
    private final ProxyAdvice proxyAdvice;

    PendingAnswers(ServerBounds bounds, ClientAddress clientAddress, ProxyAdvice proxyAdvice) {
        this.bounds = bounds;
        this.proxyAdvice = proxyAdvice;
        this.clientAddress = clientAddress;
    }

    /**
     * Counts an answer until its client has taken it or is gone.
     *
     * @param bytes the length that it may have; {@link Reservation#resize} corrects it
     * @throws RefusedRequest if the pod, or the client's address, holds too many bytes
     */
    public Reservation reserve(RoutingContext exchange, long bytes) {
        var reservation = new Reservation(exchange.request());
        reservation.resize(bytes);
        if (exchange.request().version() == HttpVersion.HTTP_2) {
            reservation.endWhenTaken(exchange);
        } else {
            ExchangeEnd.then(exchange, () -> reservation.endWhenTaken(exchange));
        }
        return reservation;
    }

    /**
     * Ends an answer that its client does not take: resets the stream on HTTP/2, and cuts the
     * connection otherwise. Can be called on any thread.
     */
    public static void giveUp(HttpServerRequest request) {
        PipelinedRequests.pipeline(request)
                .channel()
                .eventLoop()
                .execute(() -> ConnectionGuard.giveUp(request, Http2Error.CANCEL));
    }

    /** The part of the budget that one answer has. Thread-safe. */
    public final class Reservation {

        private final HttpServerRequest request;
        private final String client;
        private long bytes;
        private boolean ended;

        private Reservation(HttpServerRequest request) {
            this.request = request;
            this.client = clientAddress.of(request);
        }

        /**
         * Sets the length of the answer. An answer that is longer than the share of an address
         * counts as the whole share, so that a single answer always has room: if it were refused
         * with {@code Retry-After}, its client would repeat the request for ever.
         *
         * @throws RefusedRequest if that is too much; the reservation stays as it was
         */
        public synchronized void resize(long length) {
            if (ended) {
                return;
            }
            long counted = Math.min(length, bounds.answers().mostOfAddress());
            if (counted > bytes && !bounds.answers().tryTake(client, counted - bytes)) {
                bounds.onMet(Bound.ANSWER_BYTES);
                proxyAdvice.onLimitMet(request, "parley.limits.answer-bytes");
                throw RefusedRequest.retryable(
                        ErrorCode.OVERLOADED,
                        "overloaded: clients are still taking earlier answers; repeat the request"
                                + " after the seconds in Retry-After",
                        RETRY_AFTER);
            }
            if (counted < bytes) {
                bounds.answers().release(client, bytes - counted);
            }
            bytes = counted;
        }

        private void endWhenTaken(RoutingContext exchange) {
            ConnectionGuard guard = ConnectionGuard.of(exchange.request());
            if (guard == null) {
                end();
            } else {
                guard.whenTaken(exchange.request(), this::end);
            }
        }

        private synchronized void end() {
            ended = true;
            bounds.answers().release(client, bytes);
            bytes = 0;
        }
    }
}
