package dev.parley.bench.load;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The lines of one event stream. Checks that each lane's messages come once, in order and without
 * holes, and where the server counts its messages in their ids, that these count on by one.
 */
final class EventLines {

    /** Longer than any line's part that is looked at. */
    private static final int KEPT = 80;

    private final Tally tally;
    private final int[] next;
    private boolean checking;
    private @Nullable Set<Long> missing;
    private long offset = -1;
    private byte @Nullable [] kept;
    private int keptLength;

    /** How long the last line of data was: the next one most likely is as long. */
    private int usual;

    EventLines(Tally tally, int lanes) {
        this.tally = tally;
        this.next = new int[lanes];
    }

    /** From now on each lane's messages count, beginning with these. */
    void expect(int[] numbers) {
        System.arraycopy(numbers, 0, next, 0, next.length);
        checking = true;
        missing = null;
    }

    /** How many messages of a lane are still missing if it ended before this one. */
    long tail(int lane, int end) {
        return (long) end - next[lane];
    }

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
        int likely = start + usual;
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
            case 'i' -> id(bytes, start, end);
            case 'e' -> event(bytes, start, end);
            default -> {}
        }
    }

    private void data(byte[] bytes, int start, int end, long now) {
        int at = start + 5;
        if (at < end && bytes[at] == ' ') {
            at++;
        }
        if (end - at < Payload.MIN_SIZE || bytes[at] != Payload.FIRST) {
            return;
        }
        usual = end - start;
        tally.delivered(now - Payload.due(bytes, at));
        count(Payload.lane(bytes, at), Payload.number(bytes, at));
    }

    private void count(int lane, int number) {
        int expected = next[lane];
        if (number == expected || !checking) {
            next[lane] = number + 1;
        } else if (number > expected) {
            skipped(lane, expected, number);
        } else if (missing != null && missing.remove(key(lane, number))) {
            tally.outOfOrder++;
            tally.missing--;
        } else {
            tally.duplicates++;
        }
    }

    private void skipped(int lane, int from, int to) {
        if (missing == null) {
            missing = new HashSet<>();
        }
        for (int number = from; number < to; number++) {
            missing.add(key(lane, number));
        }
        tally.missing += to - from;
        next[lane] = to + 1;
    }

    private static long key(int lane, int number) {
        return (long) lane << 32 | number;
    }

    /** {@code id: <epoch>-<offset>}; ids of another form say nothing. */
    private void id(byte[] bytes, int start, int end) {
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
            tally.idHoles++;
        }
        offset = value;
    }

    private void event(byte[] bytes, int start, int end) {
        String line = new String(bytes, start, end - start, StandardCharsets.UTF_8);
        if (line.startsWith("event: goodbye")) {
            tally.goodbyes++;
        } else if (line.startsWith("event: gap")) {
            tally.gaps++;
        }
    }
}
