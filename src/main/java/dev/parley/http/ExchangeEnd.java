package dev.parley.http;

import io.vertx.ext.web.RoutingContext;

/**
 * What a call has to undo when its exchange has ended, however that comes about: its answer is
 * complete, or the client has closed the connection or reset the stream.
 */
public final class ExchangeEnd {

    private ExchangeEnd() {}

    /**
     * Runs an action once when the exchange has ended; at once if it already has. The client may
     * have gone while its token was verified, and the handlers that the framework would call have
     * been called then. Call it on the connection's event loop.
     */
    public static void then(RoutingContext exchange, Runnable action) {
        if (exchange.response().ended() || exchange.response().closed()) {
            action.run();
        } else {
            exchange.addEndHandler(ended -> action.run());
        }
    }
}
