package dev.parley.log;

import io.quarkus.runtime.configuration.MemorySize;
import java.math.BigInteger;
import java.time.Duration;

/** Bounds of a log; a test changes those that it is about. */
public record LogSettings(
        int messages,
        MemorySize bytes,
        MemorySize totalBytes,
        int rooms,
        Duration linger,
        Duration audit)
        implements LogConfig {

    /** Messages that a room's log holds in tests. */
    public static final int RING = 8;

    /** Longer than any test. */
    private static final Duration NEVER = Duration.ofHours(1);

    public static final LogSettings DEFAULT =
            new LogSettings(RING, size(4 << 20), size(64 << 20), 1_000, NEVER, NEVER);

    public LogSettings withTotalBytes(long totalBytes) {
        return new LogSettings(messages, bytes, size(totalBytes), rooms, linger, audit);
    }

    public LogSettings withRooms(int rooms) {
        return new LogSettings(messages, bytes, totalBytes, rooms, linger, audit);
    }

    public LogSettings withLinger(Duration linger) {
        return new LogSettings(messages, bytes, totalBytes, rooms, linger, audit);
    }

    public LogSettings withAudit(Duration audit) {
        return new LogSettings(messages, bytes, totalBytes, rooms, linger, audit);
    }

    private static MemorySize size(long bytes) {
        return new MemorySize(BigInteger.valueOf(bytes));
    }
}
