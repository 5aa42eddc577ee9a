package dev.parley.bench.load;

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/** Waiting. */
final class Patience {

    private Patience() {}

    static void pause(long millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Whether it came true in time. */
    static boolean until(BooleanSupplier condition, long seconds) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                return false;
            }
            pause(1);
        }
        return true;
    }

    /** Waits until a count is this high, or has not moved for some seconds. */
    static boolean reaches(LongSupplier count, long target, long idleSeconds) {
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
