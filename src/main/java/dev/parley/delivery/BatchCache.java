package dev.parley.delivery;

import dev.parley.log.Format;
import dev.parley.log.Frame;
import dev.parley.log.RoomLog;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The batches of one round of delivery, for the cursors of one room on one event loop. A batch is
 * the messages between a cursor and the head, joined. Nearly all cursors are at the same offset, so
 * only the last batch of each format is kept.
 */
final class BatchCache implements AutoCloseable {

    /** A batch ends with the message that reaches this size. */
    private static final int MAX_BYTES = 64 * 1024;

    /**
     * Messages that are sent in one write.
     *
     * @param after the offset of the cursor that the batch is for
     * @param last the offset of that cursor after the batch was sent
     */
    record Batch(long after, long last, SharedBuffer buffer) {

        int count() {
            return (int) (last - after);
        }
    }

    private final RoomLog log;
    private final DeliveryMeters meters;
    private final long head;
    private final long nowNanos = System.nanoTime();
    private long deliveries;
    private long bytes;
    private final Map<Format, Batch> latest = new EnumMap<>(Format.class);

    BatchCache(RoomLog log, DeliveryMeters meters) {
        this.log = log;
        this.meters = meters;
        this.head = log.head();
    }

    RoomLog log() {
        return log;
    }

    /**
     * Returns the offset up to which there are batches. Later messages belong to the next round.
     */
    long head() {
        return head;
    }

    /** Returns when the round began, which is used as the time of every write in it. */
    long nowNanos() {
        return nowNanos;
    }

    /** Counts a batch that was written to a connection. */
    void delivered(Batch batch) {
        deliveries += batch.count();
        bytes += batch.buffer().bytes().length;
    }

    /** Returns the batch after an offset below the head; null if the log no longer reaches back. */
    @Nullable Batch after(long offset, Format format) {
        Batch known = latest.get(format);
        if (known != null && known.after() == offset) {
            return known;
        }
        Batch made = gather(offset, format);
        if (made != null) {
            close(latest.put(format, made));
        }
        return made;
    }

    /** Adds the round's deliveries to the metrics and releases the buffers. */
    @Override
    public void close() {
        meters.delivered(deliveries, bytes);
        latest.values().forEach(BatchCache::close);
        latest.clear();
    }

    private static void close(@Nullable Batch batch) {
        if (batch != null) {
            batch.buffer().close();
        }
    }

    private @Nullable Batch gather(long after, Format format) {
        long last = after;
        int size = 0;
        while (last < head && size < MAX_BYTES) {
            Frame frame = log.frame(last + 1);
            if (frame == null) {
                break;
            }
            size += frame.bytes(format).length;
            last++;
        }
        return last == after ? null : join(after, last, size, format);
    }

    private @Nullable Batch join(long after, long last, int size, Format format) {
        byte[] joined = new byte[size];
        int at = 0;
        for (long offset = after + 1; offset <= last; offset++) {
            Frame frame = log.frame(offset);
            if (frame == null) {
                return null;
            }
            byte[] bytes = frame.bytes(format);
            if (last == after + 1) {
                return new Batch(after, last, new SharedBuffer(bytes));
            }
            System.arraycopy(bytes, 0, joined, at, bytes.length);
            at += bytes.length;
        }
        return new Batch(after, last, new SharedBuffer(joined));
    }
}
