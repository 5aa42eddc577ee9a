package dev.parley.broker;

import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Lets a few reads run at a time; the others wait for their turn, in their order. A read whose
 * caller cancels it while it waits gives up its place: it is never made, and nothing of it stays in
 * memory. One that runs by then goes on. Thread-safe.
 */
public final class ReadTurns {

    private final int maxRunning;

    /** The first one is next. A set, because a read that gives up its place may be anywhere. */
    private final Set<Turn<?>> waiting = new LinkedHashSet<>();

    private int running;

    /** One read of one caller. */
    private final class Turn<T> {

        private final Uni<T> read;
        private final UniEmitter<? super T> caller;

        /** Guarded by the lock. */
        private boolean isBeingStarted = true;

        Turn(Uni<T> read, UniEmitter<? super T> caller) {
            this.read = read;
            this.caller = caller;
        }

        void start() {
            try {
                read.onTermination()
                        .invoke(() -> onEnd(this))
                        .subscribe()
                        .with(caller::complete, caller::fail);
            } finally {
                synchronized (ReadTurns.this) {
                    isBeingStarted = false;
                }
            }
        }
    }

    /**
     * @param maxRunning reads that run at a time at most
     */
    public ReadTurns(int maxRunning) {
        this.maxRunning = maxRunning;
    }

    /**
     * Runs a read when it is its turn, anew for each subscriber of the result. The thread that
     * subscribes starts it if there is a free turn, otherwise the one on which another read ends.
     */
    public <T> Uni<T> run(Uni<T> read) {
        return Uni.createFrom()
                .emitter(
                        caller -> {
                            var turn = new Turn<T>(read, caller);
                            Turn<?> next = addAndTake(turn);
                            caller.onTermination(() -> remove(turn));
                            startFrom(next);
                        });
    }

    /** Returns how many reads wait for their turn. */
    public synchronized int waiting() {
        return waiting.size();
    }

    private synchronized @Nullable Turn<?> addAndTake(Turn<?> added) {
        waiting.add(added);
        return take();
    }

    private synchronized void remove(Turn<?> cancelled) {
        waiting.remove(cancelled);
    }

    /** Starts reads, in a loop, while there are free turns. */
    private void startFrom(@Nullable Turn<?> first) {
        for (Turn<?> next = first; next != null; next = take()) {
            next.start();
        }
    }

    private synchronized @Nullable Turn<?> take() {
        if (running == maxRunning || waiting.isEmpty()) {
            return null;
        }
        running++;
        Iterator<Turn<?>> turns = waiting.iterator();
        Turn<?> first = turns.next();
        turns.remove();
        return first;
    }

    /**
     * Starts the reads that can take the turn of one that has ended. If that one is still being
     * started, the loop that starts it goes on with them: of thousands of reads that end at once,
     * as they do while there is no connection, each would otherwise be started from inside the one
     * before it.
     */
    private void onEnd(Turn<?> ended) {
        synchronized (this) {
            running--;
            if (ended.isBeingStarted) {
                return;
            }
        }
        startFrom(take());
    }
}
