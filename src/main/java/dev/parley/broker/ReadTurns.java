package dev.parley.broker;

import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import java.util.HashSet;
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

    /** The threads that start reads now; each goes on for as long as there are free turns. */
    private final Set<Thread> starting = new HashSet<>();

    /** One read of one caller. */
    private final class Turn<T> {

        private final Uni<T> read;
        private final UniEmitter<? super T> caller;

        Turn(Uni<T> read, UniEmitter<? super T> caller) {
            this.read = read;
            this.caller = caller;
        }

        void start() {
            read.onTermination()
                    .invoke(ReadTurns.this::onEnd)
                    .subscribe()
                    .with(caller::complete, caller::fail);
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
                            add(turn);
                            caller.onTermination(() -> remove(turn));
                            startNext();
                        });
    }

    /** Returns how many reads wait for their turn. */
    public synchronized int waiting() {
        return waiting.size();
    }

    private synchronized void add(Turn<?> turn) {
        waiting.add(turn);
    }

    private synchronized void remove(Turn<?> cancelled) {
        waiting.remove(cancelled);
    }

    /**
     * Starts reads while there are free turns, in a loop. Without a connection thousands of reads
     * end at once, and callers ask again from inside: each would be started from inside the one
     * before it, until the stack is full. So what a thread asks for while it starts reads waits for
     * its loop.
     */
    private void startNext() {
        if (!beginToStart()) {
            return;
        }
        try {
            for (Turn<?> next = take(); next != null; next = take()) {
                next.start();
            }
        } finally {
            endToStart();
        }
    }

    private synchronized boolean beginToStart() {
        return starting.add(Thread.currentThread());
    }

    private synchronized void endToStart() {
        starting.remove(Thread.currentThread());
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

    private void onEnd() {
        synchronized (this) {
            running--;
        }
        startNext();
    }
}
