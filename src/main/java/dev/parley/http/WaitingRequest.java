package dev.parley.http;

import io.netty.channel.EventLoop;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;

/**
 * A request that waits until its credential is checked, which may take until Redis has answered, or
 * until the keys of an issuer have come. Ends the wait when the client is gone.
 *
 * <p>A GET for a stream on HTTP/2 is counted while it waits: otherwise a stranger could have a
 * hundred of them wait on each connection, since the number of streams bounds it only once it is
 * permitted. All other requests are bounded already: on HTTP/1 by the number of connections, and on
 * HTTP/2 because they count until they are answered ({@link RequestCost}).
 */
public final class WaitingRequest {

    private WaitingRequest() {}

    /**
     * Begins to hold a request. Can be called on any thread.
     *
     * @param client address that the request counts for
     * @param abandon runs on the connection's event loop if the client is gone, or if there is no
     *     room for a further request that waits, which then has to be answered at once; and once
     *     the exchange has ended, whenever that is
     * @return what to run, on any thread, when the check has ended
     */
    public static Runnable hold(RoutingContext exchange, String client, Runnable abandon) {
        HttpServerRequest request = exchange.request();
        EventLoop loop = PipelinedRequests.pipeline(request).channel().eventLoop();
        // As a task: when a connection of HTTP/1 closes, its exchange ends first, and its response
        // is closed only with the tasks that follow.
        run(loop, () -> begin(exchange, client, () -> loop.execute(abandon)));
        return isCounted(exchange) ? () -> run(loop, () -> letGo(request)) : () -> {};
    }

    private static void begin(RoutingContext exchange, String client, Runnable abandon) {
        HttpServerRequest request = exchange.request();
        ExchangeEnd.then(exchange, abandon);
        ConnectionGuard guard = ConnectionGuard.of(request);
        if (guard != null
                && isCounted(exchange)
                && !exchange.response().closed()
                && !guard.tryHoldMore(request, client, RequestCost.of(request))) {
            // The request is not reset: a proxy would make an error of that, after which an
            // EventSource does not come back. It gets a goodbye, and counts again when that has
            // been written, until its client has taken it; only then may it be reset.
            abandon.run();
        }
    }

    private static boolean isCounted(RoutingContext exchange) {
        return exchange.request().version() == HttpVersion.HTTP_2
                && RequestGuard.mayBecomeStream(exchange);
    }

    /** Stops counting a request, unless it has a large head, which counts until it is a stream. */
    private static void letGo(HttpServerRequest request) {
        if (RequestCost.ofStream(request) == 0) {
            ConnectionGuard.onStreamOpened(request);
        }
    }

    private static void run(EventLoop loop, Runnable action) {
        if (loop.inEventLoop()) {
            action.run();
        } else {
            loop.execute(action);
        }
    }
}
