package dev.parley.delivery;

import io.quarkus.runtime.configuration.MemorySize;
import java.math.BigInteger;
import java.time.Duration;

/** Bounds of a log, of which a test names those that it is about. */
record LogSettings(
        int messages, MemorySize bytes, MemorySize totalBytes, Duration linger, Duration audit)
        implements LogConfig {

    /** Messages that a room's log holds here. */
    static final int RING = 8;

    static final LogSettings DEFAULT =
            new LogSettings(RING, size(4 << 20), size(64 << 20), Scene.NEVER, Scene.NEVER);

    LogSettings withTotalBytes(long totalBytes) {
        return new LogSettings(messages, bytes, size(totalBytes), linger, audit);
    }

    LogSettings withLinger(Duration linger) {
        return new LogSettings(messages, bytes, totalBytes, linger, audit);
    }

    LogSettings withAudit(Duration audit) {
        return new LogSettings(messages, bytes, totalBytes, linger, audit);
    }

    private static MemorySize size(long bytes) {
        return new MemorySize(BigInteger.valueOf(bytes));
    }
}
