package dev.parley.bench.load;

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/** Pauses, and waits for conditions. */
final class Await {

    private Await() {}

    static void pause(long millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Waits until the condition is true; false if it was not within these seconds. */
    static boolean condition(BooleanSupplier condition, long seconds) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                return false;
            }
            pause(1);
        }
        return true;
    }

    /**
     * Waits until a count is this high; false if it has not changed for {@code idleSeconds} before.
     */
    static boolean count(LongSupplier count, long target, long idleSeconds) {
        long last = -1;
        long since = System.nanoTime();
        for (long now = count.getAsLong(); now < target; now = count.getAsLong()) {
            if (now != last) {
                last = now;
                since = System.nanoTime();
            } else if (System.nanoTime() - since > TimeUnit.SECONDS.toNanos(idleSeconds)) {
                return false;
            }
            pause(1);
        }
        return true;
    }
}
