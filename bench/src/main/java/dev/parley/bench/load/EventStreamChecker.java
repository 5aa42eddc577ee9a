package dev.parley.bench.load;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Checks the lines of one event stream: each publisher's messages must arrive once, in order and
 * without holes. Where the server's ids end in an offset, each offset must be the last one plus 1.
 */
final class EventStreamChecker {

    /**
     * Bytes kept of a line that arrives in several reads; only the first 29 of its text are read.
     */
    private static final int KEPT = 80;

    /** Where the text of a message begins at the latest, in a data line with JSON. */
    private static final int FURTHEST_TEXT = 48;

    private final ReaderStats stats;
    private final int[] next;
    private boolean checking;
    private @Nullable Set<Long> missing;
    private long offset = -1;
    private byte @Nullable [] kept;
    private int keptLength;

    /**
     * Length of the last data line. Messages have equal lengths, so the next one is looked for
     * there.
     */
    private int lastDataLength;

    /** When the connection was opened, while the first id is awaited and timed; -1 otherwise. */
    private long openedNanos = -1;

    EventStreamChecker(ReaderStats stats, int publishers) {
        this.stats = stats;
        this.next = new int[publishers];
    }

    /**
     * Times the first id.
     *
     * @param nanos when the connection was opened, on the clock of {@link MessageText#now}
     */
    void timeFirstId(long nanos) {
        openedNanos = nanos;
    }

    /** Whether the first id is timed and has not come yet. */
    boolean awaitsFirstId() {
        return openedNanos >= 0;
    }

    /** Starts checking. Each publisher's next message must have the number given here. */
    void expect(int[] numbers) {
        System.arraycopy(numbers, 0, next, 0, next.length);
        checking = true;
        missing = null;
    }

    /**
     * Number of a publisher's last messages that have not arrived, if {@code end} was never sent.
     */
    long missingAtEnd(int publisher, int end) {
        return (long) end - next[publisher];
    }

    /** Checks the lines in a part of the stream; a line may go on in the next part. */
    void scan(byte[] bytes, int from, int to, long now) {
        int start = from;
        while (start < to) {
            int end = endOfLine(bytes, start, to);
            if (end < 0) {
                keep(bytes, start, to);
                return;
            }
            if (keptLength > 0 && kept != null) {
                keep(bytes, start, end);
                line(kept, 0, keptLength, now);
                keptLength = 0;
            } else {
                line(bytes, start, end, now);
            }
            start = end + 1;
        }
    }

    private int endOfLine(byte[] bytes, int start, int to) {
        int likely = start + lastDataLength;
        if (keptLength == 0 && bytes[start] == 'd' && likely < to && bytes[likely] == '\n') {
            return likely;
        }
        for (int i = start; i < to; i++) {
            if (bytes[i] == '\n') {
                return i;
            }
        }
        return -1;
    }

    private void keep(byte[] bytes, int start, int end) {
        if (kept == null) {
            kept = new byte[KEPT];
        }
        int count = Math.min(end - start, KEPT - keptLength);
        System.arraycopy(bytes, start, kept, keptLength, count);
        keptLength += count;
    }

    private void line(byte[] bytes, int start, int end, long now) {
        if (end - start < 4) {
            return;
        }
        switch (bytes[start]) {
            case 'd' -> data(bytes, start, end, now);
            case 'i' -> {
                if (openedNanos >= 0) {
                    stats.openings.recordValue(Math.max(0, now - openedNanos));
                    openedNanos = -1;
                }
                id(bytes, start, end);
            }
            case 'e' -> event(bytes, start, end);
            default -> {}
        }
    }

    private void data(byte[] bytes, int start, int end, long now) {
        int at = start + 5;
        while (at < end && at - start < FURTHEST_TEXT && bytes[at] != MessageText.FIRST) {
            at++;
        }
        if (end - at < MessageText.MIN_SIZE || bytes[at] != MessageText.FIRST) {
            return;
        }
        lastDataLength = end - start;
        stats.onDelivery(now - MessageText.due(bytes, at));
        count(MessageText.publisher(bytes, at), MessageText.number(bytes, at));
    }

    private void count(int publisher, int number) {
        int expected = next[publisher];
        if (number == expected || !checking) {
            next[publisher] = number + 1;
        } else if (number > expected) {
            onSkipped(publisher, expected, number);
        } else if (missing != null && missing.remove(key(publisher, number))) {
            stats.outOfOrder++;
            stats.missing--;
        } else {
            stats.duplicates++;
        }
    }

    /** Remembers the numbers between the expected one and this one: they may still arrive, late. */
    private void onSkipped(int publisher, int from, int to) {
        if (missing == null) {
            missing = new HashSet<>();
        }
        for (int number = from; number < to; number++) {
            missing.add(key(publisher, number));
        }
        stats.missing += to - from;
        next[publisher] = to + 1;
    }

    private static long key(int publisher, int number) {
        return (long) publisher << 32 | number;
    }

    /**
     * Reads {@code id: <epoch>-<offset>}; ids of another form are not checked, such as the position
     * in several rooms.
     */
    private void id(byte[] bytes, int start, int end) {
        if (indexOf((byte) '=', bytes, start, end) >= 0) {
            return;
        }
        long value = 0;
        long scale = 1;
        int i = end - 1;
        for (; i > start && bytes[i] >= '0' && bytes[i] <= '9'; i--) {
            value += scale * (bytes[i] - '0');
            scale *= 10;
        }
        if (bytes[i] != '-' || scale == 1) {
            return;
        }
        if (offset >= 0 && value != offset + 1) {
            stats.idHoles++;
        }
        offset = value;
    }

    private static int indexOf(byte wanted, byte[] bytes, int start, int end) {
        for (int i = start; i < end; i++) {
            if (bytes[i] == wanted) {
                return i;
            }
        }
        return -1;
    }

    private void event(byte[] bytes, int start, int end) {
        String line = new String(bytes, start, end - start, StandardCharsets.UTF_8);
        if (line.startsWith("event: gap")) {
            stats.gaps++;
        }
    }
}
