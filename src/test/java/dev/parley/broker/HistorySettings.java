package dev.parley.broker;

import dev.parley.settings.RoomSettings;
import io.quarkus.runtime.configuration.MemorySize;
import java.math.BigInteger;
import java.time.Duration;
import java.util.Map;

/** Bounds of a history; a test changes those that it is about. */
public record HistorySettings(int size, MemorySize bytes, Duration age, Duration receipts)
        implements HistoryConfig {

    /** The program's defaults. */
    public static final HistorySettings DEFAULT =
            new HistorySettings(
                    10_000, size(16 << 20), Duration.ofHours(24), Duration.ofMinutes(5));

    public HistorySettings withSize(int messages) {
        return new HistorySettings(messages, bytes, age, receipts);
    }

    public HistorySettings withBytes(long most) {
        return new HistorySettings(size, size(most), age, receipts);
    }

    public HistorySettings withAge(Duration longest) {
        return new HistorySettings(size, bytes, longest, receipts);
    }

    public HistorySettings withReceipts(Duration longest) {
        return new HistorySettings(size, bytes, age, longest);
    }

    /** Sets these bounds for all rooms. */
    public RoomHistories ofAllRooms() {
        return new RoomHistories(this, new RoomSettings(Map::of));
    }

    private static MemorySize size(long bytes) {
        return new MemorySize(BigInteger.valueOf(bytes));
    }
}
