package dev.parley.retry;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Pauses between attempts that fail: the bound doubles from the first pause to the longest, and
 * each pause is drawn between half of the bound and all of it. The spread keeps the pods of an
 * installation, which all lose the same server at the same moment, from trying again in step.
 *
 * <p>Not thread-safe.
 */
public final class Backoff {

    private final long firstMillis;
    private final long longestMillis;
    private long boundMillis;

    /**
     * @param first bound of the first pause, at least a millisecond
     * @param longest bound that is never exceeded; raised to {@code first} if it is shorter
     */
    public Backoff(Duration first, Duration longest) {
        this.firstMillis = first.toMillis();
        this.longestMillis = Math.max(firstMillis, longest.toMillis());
        this.boundMillis = firstMillis;
    }

    /** Returns the pause before the next attempt, at least a millisecond. */
    public Duration next() {
        Duration pause =
                between(Duration.ofMillis(boundMillis / 2), Duration.ofMillis(boundMillis));
        boundMillis = Math.min(boundMillis * 2, longestMillis);
        return pause.compareTo(Duration.ofMillis(1)) < 0 ? Duration.ofMillis(1) : pause;
    }

    /** Starts over with the first pause, after an attempt that succeeded. */
    public void reset() {
        boundMillis = firstMillis;
    }

    /**
     * Draws a duration between two bounds, both included, to the millisecond.
     *
     * @param longest raised to {@code shortest} if it is shorter
     */
    public static Duration between(Duration shortest, Duration longest) {
        long least = shortest.toMillis();
        long most = Math.max(least, longest.toMillis());
        return Duration.ofMillis(ThreadLocalRandom.current().nextLong(least, most + 1));
    }
}
