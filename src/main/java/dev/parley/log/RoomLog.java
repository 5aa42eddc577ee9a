package dev.parley.log;

import dev.parley.broker.Lineage;
import dev.parley.message.EventId;
import dev.parley.message.StoredMessage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The newest frames of a room: a ring, bounded by count and bytes, without holes.
 *
 * <p>One thread at a time appends; any number of threads read at the same time, without locks.
 * {@link #frame} returns exactly the frame that was asked for, or null: a frame has its offset, so
 * a slot that was reused meanwhile is recognised.
 */
public final class RoomLog {

    /**
     * The memory that all logs of a pod may hold together. While it is exceeded, a log that grows
     * keeps only its newest frame.
     */
    static final class Budget {

        private final long maxBytes;
        private final AtomicLong held = new AtomicLong();

        Budget(long maxBytes) {
            this.maxBytes = maxBytes;
        }

        long held() {
            return held.get();
        }

        void add(long bytes) {
            held.addAndGet(bytes);
        }

        boolean isExceeded() {
            return held.get() > maxBytes;
        }
    }

    private volatile Lineage lineage;
    private final Budget budget;
    private final AtomicReferenceArray<@Nullable Frame> ring;
    private final long maxBytes;

    private volatile long head;
    private volatile long oldest;
    private long bytes;

    /**
     * @param after offset of the last message that is not in the log; the first append is the next
     * @param capacity frames, 1 or more
     */
    RoomLog(Lineage lineage, long after, int capacity, long maxBytes, Budget budget) {
        this.lineage = lineage;
        this.head = after;
        this.oldest = after + 1;
        this.ring = new AtomicReferenceArray<>(capacity);
        this.maxBytes = maxBytes;
        this.budget = budget;
    }

    /** The epochs in which the log's messages were counted. */
    public Lineage lineage() {
        return lineage;
    }

    /** The present epoch. */
    public String epoch() {
        return lineage.epoch();
    }

    /** Returns the position of a reader that has everything up to this offset. */
    public EventId idAt(long offset) {
        return lineage.idAt(offset);
    }

    /** Tells whether a reader at this position finds the rest here. */
    public boolean covers(EventId position) {
        return lineage.includes(position, head) && reaches(position.offset());
    }

    /** Goes on in another epoch, of which this log's messages are the beginning. */
    void continueIn(Lineage next) {
        lineage = next;
    }

    /** Offset of the newest frame. */
    public long head() {
        return head;
    }

    /** Offset of the oldest frame, {@code head + 1} if there is none. */
    public long oldest() {
        return oldest;
    }

    /** Returns the frame at this offset; null if it has left the ring or is not there yet. */
    public @Nullable Frame frame(long offset) {
        Frame frame = ring.get(slot(offset));
        return frame != null && frame.offset() == offset ? frame : null;
    }

    /** Tells whether every message after this offset, up to the head, is in the log. */
    public boolean reaches(long offset) {
        return offset >= oldest - 1;
    }

    /**
     * Adds the next frame, and drops the oldest ones while the log exceeds its bounds.
     *
     * @throws IllegalArgumentException if it is not the one after the head
     */
    void append(Frame frame) {
        if (frame.offset() != head + 1) {
            throw new IllegalArgumentException(
                    "offset " + frame.offset() + " does not follow " + head);
        }
        if (head - oldest + 1 == ring.length()) {
            dropOldest();
        }
        ring.set(slot(frame.offset()), frame);
        head = frame.offset();
        bytes += frame.cost();
        budget.add(frame.cost());
        while (oldest < head && (bytes > maxBytes || budget.isExceeded())) {
            dropOldest();
        }
    }

    /** Drops all frames and gives their memory back to the budget. */
    void clear() {
        while (oldest <= head) {
            dropOldest();
        }
    }

    private void dropOldest() {
        long dropped = oldest;
        int slot = slot(dropped);
        Frame frame = ring.get(slot);
        oldest = dropped + 1;
        ring.set(slot, null);
        if (frame != null) {
            bytes -= frame.cost();
            budget.add(-frame.cost());
        }
    }

    private int slot(long offset) {
        return (int) (offset % ring.length());
    }

    /**
     * A message of a log, and its encoded bytes, which all cursors share. A format is encoded when
     * it is first asked for. Two threads that ask at the same moment may both encode it; the
     * results are equal.
     */
    public static final class Frame {

        /** Heap of a frame without text and bytes: objects, the ring's slot. */
        private static final int OVERHEAD_BYTES = 280;

        private static final int FORMATS = Format.values().length;

        private final StoredMessage message;
        private final FrameEncoder encoder;
        private final AtomicReferenceArray<byte @Nullable []> encoded =
                new AtomicReferenceArray<>(FORMATS);

        public Frame(StoredMessage message, FrameEncoder encoder) {
            this.message = message;
            this.encoder = encoder;
        }

        public StoredMessage message() {
            return message;
        }

        public long offset() {
            return message.offset();
        }

        /** Returns the message in this format. The caller must not change the bytes. */
        @SuppressWarnings("EnumOrdinal") // The array is made for this very enum, and never stored.
        public byte[] bytes(Format format) {
            byte[] known = encoded.get(format.ordinal());
            if (known != null) {
                return known;
            }
            byte[] made = encoder.encode(message, format);
            encoded.set(format.ordinal(), made);
            return made;
        }

        /**
         * Estimates the heap held at most, from the length of the text: the text itself, in up to
         * two bytes a character, and once more in each of two formats.
         */
        long cost() {
            return OVERHEAD_BYTES + 4L * message.message().text().length();
        }
    }
}
