package dev.parley.broker.redis;

import dev.parley.broker.BrokerUnavailable;
import dev.parley.broker.ReadTurns;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

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
    private final ReadTurns turns = new ReadTurns(MAX_RUNNING);

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
                .deferred(
                        () -> {
                            // Several threads may look at the same moment: the bound is exceeded
                            // by one for each of them at most.
                            if (turns.waiting() >= MAX_WAITING) {
                                return unavailable(MAX_WAITING + " reads of Redis wait already");
                            }
                            long since = nanoTime.getAsLong();
                            return turns.run(
                                    Uni.createFrom().deferred(() -> unlessTooLate(read, since)));
                        });
    }

    private <T> Uni<T> unlessTooLate(Uni<T> read, long since) {
        if (nanoTime.getAsLong() - since <= maxWaitNanos) {
            return read;
        }
        return unavailable(
                "a read of Redis waited longer than "
                        + Duration.ofNanos(maxWaitNanos)
                        + " for its turn");
    }

    private static <T> Uni<T> unavailable(String reason) {
        return Uni.createFrom().failure(new BrokerUnavailable(reason));
    }
}
