package dev.parley.http;

import io.netty.util.concurrent.FastThreadLocal;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.impl.ContextInternal;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;

/**
 * Spreads the requests for streams that arrive together, so that the other connections of their
 * event loop are served in between.
 *
 * <p>An event loop reads all connections that have sent something before it looks at any of them
 * again. When the readers of a lost pod connect in the same moment, that is some thousand requests,
 * and to open a stream takes a third of a millisecond, more in a process that has just started. For
 * those seconds the loop would neither take the answers of Redis, whose deadlines would pass, nor
 * messages, publishes and probes. So of the requests that it reads in one go, only the first few
 * are served at once. The others wait in a queue, and a task serves one of them and then goes to
 * the end of the loop's tasks. The loop runs tasks for as long as it has read before, or 64 of
 * them, and then reads its connections again.
 */
@Singleton
final class StreamOpenings {

    /** Requests that are served at once, in each turn of an event loop. */
    static final int AT_ONCE = 16;

    private static final String PATH = Endpoint.EVENTS.path();

    /** After {@link RequestGuard}, before the filters of the framework. */
    private static final int EARLY = Integer.MIN_VALUE + 1;

    private final FastThreadLocal<Turn> turns =
            new FastThreadLocal<>() {
                @Override
                protected Turn initialValue() {
                    return new Turn();
                }
            };

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
        turns.get()
                .serve(
                        () -> {
                            if (!exchange.response().closed()) {
                                exchange.next();
                            }
                        },
                        context.nettyEventLoop(),
                        request -> context.dispatch(ignored -> request.run()));
    }

    /** The requests that an event loop has read since it last ran tasks. Used on that loop. */
    static final class Turn {

        private final Queue<Runnable> waiting = new ArrayDeque<>();
        private int served;

        /**
         * Runs a request now if only few have run in this turn, otherwise later.
         *
         * @param tasks runs what it gets on the event loop, after what it got before
         * @param context runs a request that had to wait, at once
         */
        void serve(Runnable request, Executor tasks, Executor context) {
            if (served >= AT_ONCE) {
                waiting.add(() -> context.execute(request));
                return;
            }
            if (served == 0) {
                tasks.execute(() -> next(tasks));
            }
            served++;
            request.run();
        }

        /** Serves the request that has waited longest, and goes to the end of the tasks. */
        private void next(Executor tasks) {
            Runnable request = waiting.poll();
            if (request == null) {
                served = 0;
            } else {
                tasks.execute(() -> next(tasks));
                request.run();
            }
        }
    }
}
