package dev.parley.broker;

import java.time.Duration;

/** A retention in so many words. */
public record HistorySettings(int size, Duration age, Duration receipts) implements HistoryConfig {

    /** The program's own defaults. */
    public static final HistorySettings DEFAULT =
            new HistorySettings(10_000, Duration.ofHours(24), Duration.ofMinutes(5));

    public HistorySettings withSize(int messages) {
        return new HistorySettings(messages, age, receipts);
    }

    public HistorySettings withAge(Duration longest) {
        return new HistorySettings(size, longest, receipts);
    }

    public HistorySettings withReceipts(Duration longest) {
        return new HistorySettings(size, age, longest);
    }
}
