package dev.parley.delivery;

import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is sent to the readers of a log in one go: everything between a cursor and the head, as one
 * piece. Nearly all readers stand at the same place, so the last piece made is nearly always the
 * one wanted next.
 */
final class Batches implements AutoCloseable {

    /** Bounds what one write puts before a connection. */
    private static final int MAX_BYTES = 64 * 1024;

    /**
     * @param after the cursor that it is for
     * @param last the cursor after it was sent
     */
    record Batch(long after, long last, Payload payload) {

        int count() {
            return (int) (last - after);
        }
    }

    private final RoomLog log;
    private final HubMeters meters;
    private final long head;
    private final long nowNanos = System.nanoTime();
    private long deliveries;
    private long bytes;
    private final Map<Format, Batch> latest = new EnumMap<>(Format.class);

    Batches(RoomLog log, HubMeters meters) {
        this.log = log;
        this.meters = meters;
        this.head = log.head();
    }

    RoomLog log() {
        return log;
    }

    /** Offset up to which there are batches; what came later is for the next round. */
    long head() {
        return head;
    }

    /** When the round began: near enough for every reader in it. */
    long nowNanos() {
        return nowNanos;
    }

    /** A reader was sent this. */
    void delivered(Batch batch) {
        deliveries += batch.count();
        bytes += batch.payload().bytes().length;
    }

    /** What follows a cursor below the head; null if the log no longer has it. */
    @Nullable Batch after(long cursor, Format format) {
        Batch known = latest.get(format);
        if (known != null && known.after() == cursor) {
            return known;
        }
        Batch made = gather(cursor, format);
        if (made != null) {
            close(latest.put(format, made));
        }
        return made;
    }

    /** Counts what was delivered, once for all readers, and gives the memory back. */
    @Override
    public void close() {
        meters.delivered(deliveries, bytes);
        latest.values().forEach(Batches::close);
        latest.clear();
    }

    private static void close(@Nullable Batch batch) {
        if (batch != null) {
            batch.payload().close();
        }
    }

    private @Nullable Batch gather(long cursor, Format format) {
        long last = cursor;
        int size = 0;
        while (last < head && size < MAX_BYTES) {
            Frame frame = log.frame(last + 1);
            if (frame == null) {
                break;
            }
            size += frame.bytes(format).length;
            last++;
        }
        return last == cursor ? null : join(cursor, last, size, format);
    }

    private @Nullable Batch join(long cursor, long last, int size, Format format) {
        byte[] joined = new byte[size];
        int at = 0;
        for (long offset = cursor + 1; offset <= last; offset++) {
            Frame frame = log.frame(offset);
            if (frame == null) {
                return null;
            }
            byte[] bytes = frame.bytes(format);
            if (last == cursor + 1) {
                return new Batch(cursor, last, new Payload(bytes));
            }
            System.arraycopy(bytes, 0, joined, at, bytes.length);
            at += bytes.length;
        }
        return new Batch(cursor, last, new Payload(joined));
    }
}
