package dev.parley.delivery;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The memory that all logs of a pod may hold together. Above it a log keeps only its newest frame.
 */
final class LogBudget {

    private final long maxBytes;
    private final AtomicLong held = new AtomicLong();

    LogBudget(long maxBytes) {
        this.maxBytes = maxBytes;
    }

    void add(long bytes) {
        held.addAndGet(bytes);
    }

    boolean isExceeded() {
        return held.get() > maxBytes;
    }

    long held() {
        return held.get();
    }
}
