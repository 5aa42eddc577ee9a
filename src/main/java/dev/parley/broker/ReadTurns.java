package dev.parley.broker;

import io.smallrye.mutiny.Uni;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/** Lets a few reads run at a time; the others wait for their turn, in their order. Thread-safe. */
public final class ReadTurns {

    private final int maxRunning;
    private final Queue<Runnable> waiting = new ArrayDeque<>();
    private int running;
    private boolean starting;

    /**
     * @param maxRunning reads that run at a time at most
     */
    public ReadTurns(int maxRunning) {
        this.maxRunning = maxRunning;
    }

    /** Runs a read when it is its turn, anew for each subscriber of the result. */
    public <T> Uni<T> run(Uni<T> read) {
        return Uni.createFrom()
                .emitter(
                        caller -> {
                            add(
                                    () ->
                                            read.onTermination()
                                                    .invoke(this::onEnd)
                                                    .subscribe()
                                                    .with(caller::complete, caller::fail));
                            startNext();
                        });
    }

    /** Returns how many reads wait for their turn. */
    public synchronized int waiting() {
        return waiting.size();
    }

    private synchronized void add(Runnable read) {
        waiting.add(read);
    }

    /**
     * Starts reads while there are free turns. One call at a time does it, in a loop: a read that
     * ends at once calls back from inside, thousands of times while there is no connection.
     */
    private void startNext() {
        for (Runnable next = take(); next != null; next = take()) {
            try {
                next.run();
            } finally {
                synchronized (this) {
                    starting = false;
                }
            }
        }
    }

    private synchronized @Nullable Runnable take() {
        if (starting || running == maxRunning || waiting.isEmpty()) {
            return null;
        }
        starting = true;
        running++;
        return waiting.poll();
    }

    private void onEnd() {
        synchronized (this) {
            running--;
        }
        startNext();
    }
}
