package dev.parley.broker;

import java.time.Duration;

/** A retention in so many words. */
public record RetentionOf(int size, Duration age, Duration receipts) implements Retention {

    /** The program's own defaults. */
    public static final RetentionOf DEFAULT =
            new RetentionOf(10_000, Duration.ofHours(24), Duration.ofMinutes(5));

    public RetentionOf withSize(int messages) {
        return new RetentionOf(messages, age, receipts);
    }

    public RetentionOf withAge(Duration longest) {
        return new RetentionOf(size, longest, receipts);
    }

    public RetentionOf withReceipts(Duration longest) {
        return new RetentionOf(size, age, longest);
    }
}
