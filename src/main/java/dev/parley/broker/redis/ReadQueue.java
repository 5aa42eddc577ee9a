package dev.parley.broker.redis;

import dev.parley.broker.BrokerUnavailable;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Bounds how many reads run at a time; the others wait for their turn. After a lost connection
 * every room of the pod is compared with Redis, and ten thousand reads at once would use up the
 * commands that may wait at a time ({@code parley.redis.max-pending}), so that publishes were
 * refused meanwhile.
 *
 * <p>A read that has waited too long for its turn fails, and so does a read that finds {@value
 * #MAX_WAITING} others waiting: while Redis does not answer, callers learn of it, and what waits
 * stays bounded. Thread-safe.
 */
final class ReadQueue {

    /** Reads that run at a time at most. */
    static final int MAX_RUNNING = 64;

    /**
     * Reads that wait at most. More than the rooms that a pod has open by default, which all
     * compare.
     */
    static final int MAX_WAITING = 50_000;

    private final long maxWaitNanos;
    private final LongSupplier nanoTime;
    private final Queue<Waiting<?>> waiting = new ArrayDeque<>();
    private int running;
    private boolean starting;

    private record Waiting<T>(Uni<T> read, UniEmitter<? super T> caller, long since) {}

    /**
     * @param maxWait how long a read may wait for its turn
     * @param nanoTime a clock, as {@link System#nanoTime}
     */
    ReadQueue(Duration maxWait, LongSupplier nanoTime) {
        // convert() saturates at Long.MAX_VALUE; toNanos() would overflow for five times the
        // longest timeout.
        this.maxWaitNanos = TimeUnit.NANOSECONDS.convert(maxWait);
        this.nanoTime = nanoTime;
    }

    /** Runs a read when it is its turn, anew for each subscriber of the result. */
    <T> Uni<T> run(Uni<T> read) {
        return Uni.createFrom()
                .emitter(
                        emitter -> {
                            if (add(new Waiting<>(read, emitter, nanoTime.getAsLong()))) {
                                startNext();
                            } else {
                                emitter.fail(
                                        new BrokerUnavailable(
                                                MAX_WAITING + " reads of Redis wait already"));
                            }
                        });
    }

    private synchronized boolean add(Waiting<?> read) {
        return waiting.size() < MAX_WAITING && waiting.add(read);
    }

    /**
     * Starts reads while there are free turns. One call at a time does it, in a loop: a read that
     * fails at once calls back from inside, thousands of times while there is no connection.
     */
    private void startNext() {
        for (Waiting<?> next = take(); next != null; next = take()) {
            try {
                start(next);
            } finally {
                synchronized (this) {
                    starting = false;
                }
            }
        }
    }

    private synchronized @Nullable Waiting<?> take() {
        if (starting || running == MAX_RUNNING || waiting.isEmpty()) {
            return null;
        }
        starting = true;
        running++;
        return waiting.poll();
    }

    private <T> void start(Waiting<T> next) {
        if (nanoTime.getAsLong() - next.since > maxWaitNanos) {
            onEnd();
            next.caller.fail(
                    new BrokerUnavailable(
                            "a read of Redis waited longer than "
                                    + Duration.ofNanos(maxWaitNanos)
                                    + " for its turn"));
            return;
        }
        next.read
                .onTermination()
                .invoke(this::onEnd)
                .subscribe()
                .with(next.caller::complete, next.caller::fail);
    }

    private void onEnd() {
        synchronized (this) {
            running--;
        }
        startNext();
    }
}
