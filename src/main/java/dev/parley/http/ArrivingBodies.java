package dev.parley.http;

import dev.parley.http.ServerBounds.Bound;
import io.vertx.core.http.HttpServerRequest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * The bodies that are arriving on one connection: counts what has come of each, and refuses those
 * that are longer than a body may be, or that the budget of all bodies has no room for. Runs on the
 * connection's event loop.
 */
final class ArrivingBodies {

    private final ServerBounds bounds;
    private final List<Body> bodies = new ArrayList<>();

    /** Pieces of bodies that have come since the bodies were counted. */
    private int pieces;

    ArrivingBodies(ServerBounds bounds) {
        this.bounds = bounds;
    }

    /** Why a body is refused while it arrives. */
    enum Fault {
        /** It is longer than a body may be, which a chunked one does not announce. */
        TOO_LARGE,
        /** It does not fit in the budget of all bodies. */
        TOO_MANY
    }

    /** A body that is arriving: how much of it is counted, and what refuses the request. */
    private static final class Body {

        private final HttpServerRequest request;
        private final long max;
        private final String client;
        private final Consumer<Fault> refuse;
        private long bytes;
        private long counted;

        Body(HttpServerRequest request, long max, String client, Consumer<Fault> refuse) {
            this.request = request;
            this.max = max;
            this.client = client;
            this.refuse = refuse;
        }

        /** Bytes that have come since they were counted; 0 if the body is complete. */
        long arrived() {
            return request.isEnded() ? 0 : request.bytesRead() - bytes;
        }
    }

    /**
     * Counts the body of a request from now on, as far as it has not arrived with the head.
     *
     * @param max the longest body
     * @param client address that the body counts for
     * @param refuse called at most once
     */
    void add(HttpServerRequest request, long max, String client, Consumer<Fault> refuse) {
        bodies.add(new Body(request, max, client, refuse));
    }

    /** Notes that a piece of a body has come. */
    void onPiece() {
        pieces++;
    }

    /** Counts what has come of bodies, and refuses those above their bounds. */
    void count() {
        if (bodies.isEmpty()) {
            return;
        }
        long arrived = 0;
        for (Body body : bodies) {
            arrived += body.arrived();
        }
        long overhead = (long) pieces * RequestCost.PIECE;
        pieces = 0;
        if (arrived == 0) {
            return;
        }
        Map<Body, Fault> refused = new LinkedHashMap<>();
        for (Body body : bodies) {
            long more = body.arrived();
            if (more > 0) {
                body.bytes += more;
                long held = more + overhead * more / arrived;
                if (body.bytes > body.max) {
                    refused.put(body, Fault.TOO_LARGE);
                } else if (bounds.bodies().tryTake(body.client, held)) {
                    body.counted += held;
                } else {
                    bounds.onMet(Bound.BODY_BYTES);
                    refused.put(body, Fault.TOO_MANY);
                }
            }
        }
        bodies.removeAll(refused.keySet());
        refused.forEach(
                (body, fault) -> {
                    bounds.bodies().release(body.client, body.counted);
                    body.refuse.accept(fault);
                });
    }

    /** Stops counting what has come of the body of a request. */
    @SuppressWarnings("ReferenceEquality") // This very request: another one has a body of its own.
    void end(HttpServerRequest request) {
        bodies.removeIf(
                body -> {
                    boolean ended = body.request == request;
                    if (ended) {
                        bounds.bodies().release(body.client, body.counted);
                    }
                    return ended;
                });
    }

    /** Stops counting all bodies, because the connection has closed. */
    void endAll() {
        bodies.forEach(body -> bounds.bodies().release(body.client, body.counted));
        bodies.clear();
    }
}
