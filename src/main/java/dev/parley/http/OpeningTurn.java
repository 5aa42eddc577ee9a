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
 * come ({@link WaitingOpening}). On HTTP/1 the number of connections bounds that of objects. On
 * HTTP/2 each of them may ask for a hundred streams, so above a number of objects its connections
 * wait too ({@link Http2FrameGuard}).
 */
final class OpeningTurn {

    /** Requests that are served at once, in each turn of an event loop. */
    static final int AT_ONCE = 16;

    /** Requests of HTTP/2 that may wait, each of which is some six kilobytes. */
    static final int MAX_OF_HTTP_2 = 1_000;

    private static final FastThreadLocal<OpeningTurn> TURNS =
            new FastThreadLocal<>() {
                @Override
                protected OpeningTurn initialValue() {
                    return new OpeningTurn();
                }
            };

    private final Queue<Runnable> waiting = new ArrayDeque<>();
    private int served;
    private int waitingOfHttp2;

    /** Whether a request that has waited as bytes is being served. */
    private boolean isServing;

    /** Returns the turn of the event loop that calls. */
    static OpeningTurn current() {
        return TURNS.get();
    }

    /** Tells whether a request that comes now has to wait. */
    boolean isOver() {
        return served >= AT_ONCE && !isServing;
    }

    /** Tells whether as many requests of HTTP/2 wait as may, so that no more is read of it. */
    boolean isFull() {
        return waitingOfHttp2 >= MAX_OF_HTTP_2;
    }

    /**
     * Runs an action after the requests that wait already. Called only if the turn {@link #isOver}
     * or {@link #isFull}.
     */
    void await(Runnable action) {
        waiting.add(action);
    }

    /**
     * Calls {@link #await} for a request that waits as bytes.
     *
     * @param request reads the bytes, and in doing so calls {@link #serve}
     */
    void awaitAsBytes(Runnable request) {
        await(
                () -> {
                    isServing = true;
                    try {
                        request.run();
                    } finally {
                        isServing = false;
                    }
                });
    }

    /**
     * Serves a request now if only few have been served in this turn, otherwise later. One that has
     * waited as bytes is not made to wait again.
     *
     * @param isHttp2 whether it came on HTTP/2, of which only a number may wait
     * @param tasks runs what it gets on the event loop, after what it got before
     * @param context runs a request that had to wait, at once
     */
    void serve(Runnable request, boolean isHttp2, Executor tasks, Executor context) {
        if (isOver()) {
            int counted = isHttp2 ? 1 : 0;
            waitingOfHttp2 += counted;
            await(
                    () -> {
                        waitingOfHttp2 -= counted;
                        context.execute(request);
                    });
            return;
        }
        if (served == 0) {
            tasks.execute(() -> next(tasks));
        }
        served++;
        request.run();
    }

    /** Runs what has waited longest, and goes to the end of the tasks. */
    private void next(Executor tasks) {
        Runnable longest = waiting.poll();
        if (longest == null) {
            served = 0;
            return;
        }
        tasks.execute(() -> next(tasks));
        longest.run();
    }
}
