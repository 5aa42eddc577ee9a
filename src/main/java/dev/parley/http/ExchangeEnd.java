package dev.parley.http;

import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What a call has to undo when its exchange has ended, however that comes about: its answer is
 * complete, or the client has closed the connection or reset the stream.
 */
public final class ExchangeEnd {

    private ExchangeEnd() {}

    /**
     * Runs an action once when the exchange has ended; at once if it already has. The client may
     * have gone while its token was verified, and the handlers that the framework would call have
     * been called then. Call it on the connection's event loop. The action runs there too, or on
     * the thread that completes the answer.
     */
    public static void then(RoutingContext exchange, Runnable action) {
        if (exchange.response().ended() || exchange.response().closed()) {
            action.run();
            return;
        }
        if (exchange.request().version() == HttpVersion.HTTP_2) {
            exchange.addEndHandler(ended -> action.run());
            return;
        }
        var isDue = new AtomicBoolean(true);
        Runnable once =
                () -> {
                    if (isDue.compareAndSet(true, false)) {
                        action.run();
                    }
                };
        // The end handlers are not called if the server itself has closed the connection. The
        // framework does so when it cannot write a part of an answer, which happens if the client
        // has gone and the close has not been read yet.
        ChannelFuture close =
                PipelinedRequests.pipeline(exchange.request()).channel().closeFuture();
        ChannelFutureListener onClose = closed -> once.run();
        close.addListener(onClose);
        exchange.addEndHandler(
                ended -> {
                    // A connection can live for long, and have many exchanges.
                    close.removeListener(onClose);
                    once.run();
                });
    }
}
