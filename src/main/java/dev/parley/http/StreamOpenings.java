package dev.parley.http;

import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.impl.ContextInternal;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

/**
 * Spreads the requests for streams that arrive together, so that the other connections of their
 * event loop are served in between.
 *
 * <p>An event loop reads all connections that have sent something before it looks at any of them
 * again. When the readers of a lost pod connect in the same moment, that is some thousand requests,
 * and to open a stream takes a third of a millisecond, more in a process that has just started. For
 * those seconds the loop would neither take the answers of Redis, whose deadlines would pass, nor
 * messages, publishes and probes. So of the requests that it reads in one go, only the first few
 * are served at once, and the others one by one, each as a task of the loop ({@link OpeningTurn}).
 */
@Singleton
final class StreamOpenings {

    private static final String PATH = Endpoint.EVENTS.path();

    /** After {@link RequestGuard}, before the filters of the framework. */
    private static final int EARLY = Integer.MIN_VALUE + 1;

    /** A POST has its form kept meanwhile: the framework pauses a request until a call reads it. */
    void register(@Observes Router router) {
        router.route(PATH)
                .method(HttpMethod.GET)
                .method(HttpMethod.POST)
                .order(EARLY)
                .handler(this::serve);
    }

    private void serve(RoutingContext exchange) {
        ContextInternal context = ContextInternal.current();
        OpeningTurn.current()
                .serve(
                        () -> {
                            if (!exchange.response().closed()) {
                                exchange.next();
                            }
                        },
                        exchange.request().version() == HttpVersion.HTTP_2,
                        context.nettyEventLoop(),
                        request -> context.dispatch(ignored -> request.run()));
    }
}
