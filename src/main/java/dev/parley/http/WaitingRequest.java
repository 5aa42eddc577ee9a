package dev.parley.http;

import io.netty.channel.EventLoop;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;

/**
 * A request whose credential is being checked, for which Redis or the keys of an issuer are waited
 * for. On HTTP/1 the number of connections bounds that of such requests, and on HTTP/2 they count
 * as heads until they are answered. But a GET for a stream does not, since the number of streams
 * bounds it once it is permitted. So a GET for a stream on HTTP/2 is counted here for as long as it
 * is not. Otherwise a stranger could have a hundred of them wait on each connection.
 */
public final class WaitingRequest {

    private WaitingRequest() {}

    /**
     * Begins to hold a request. Can be called on any thread.
     *
     * @param client address that the request counts for
     * @param abandon runs on the connection's event loop if the client is gone, or if there is no
     *     room for the request and its stream was reset; and once the exchange has ended, whenever
     *     that is
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
                && !guard.tryHoldAgain(request, client, RequestCost.of(request))) {
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
