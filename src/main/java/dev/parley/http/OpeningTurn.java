package dev.parley.http;

import io.netty.util.concurrent.FastThreadLocal;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;

/**
 * The requests for streams that an event loop has read since it last ran tasks. Only the first few
 * are served at once. The others wait in a queue, and a task serves one of them and then goes to
 * the end of the loop's tasks. The loop runs tasks for as long as it has read before, or 64 of
 * them, and then reads its connections again. Used on that loop alone.
 *
 * <p>A request waits as the server's object ({@link StreamOpenings}), or as the bytes that have
 * come ({@link WaitingOpening}).
 */
final class OpeningTurn {

    /** Requests that are served at once, in each turn of an event loop. */
    static final int AT_ONCE = 16;

    private static final FastThreadLocal<OpeningTurn> TURNS =
            new FastThreadLocal<>() {
                @Override
                protected OpeningTurn initialValue() {
                    return new OpeningTurn();
                }
            };

    private final Queue<Runnable> waiting = new ArrayDeque<>();
    private int served;

    /** Whether a request that has waited is being served. */
    private boolean isServing;

    /** Returns the turn of the event loop that calls. */
    static OpeningTurn current() {
        return TURNS.get();
    }

    /** Tells whether a request that comes now has to wait. */
    boolean isOver() {
        return served >= AT_ONCE && !isServing;
    }

    /**
     * Serves a request after those that wait already. Called only if the turn {@link #isOver}.
     *
     * @param request what serves it, on the event loop
     */
    void await(Runnable request) {
        waiting.add(request);
    }

    /**
     * Serves a request now if only few have been served in this turn, otherwise later. One that has
     * waited as bytes is not made to wait again.
     *
     * @param tasks runs what it gets on the event loop, after what it got before
     * @param context runs a request that had to wait, at once
     */
    void serve(Runnable request, Executor tasks, Executor context) {
        if (isOver()) {
            await(() -> context.execute(request));
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
            return;
        }
        tasks.execute(() -> next(tasks));
        isServing = true;
        try {
            request.run();
        } finally {
            isServing = false;
        }
    }
}
