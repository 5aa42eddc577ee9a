package dev.parley.log;

import dev.parley.broker.Lineage;
import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.MessageJson;
import dev.parley.message.MessageSize;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The newest frames of a room: a ring, bounded by count, bytes and age, without holes. A frame that
 * is too old is not returned, and is dropped at the next {@link #append} or {@link #dropTooOld}.
 *
 * <p>One thread at a time appends; any number of threads read at the same time, without locks. A
 * slot of the ring may be reused while a thread reads it. {@link #frame} detects that, because a
 * frame knows its offset, and returns null instead of another frame.
 */
public final class RoomLog {

    /**
     * The memory that all logs of a pod may hold together, in bytes. While it is exceeded, a log to
     * which a frame is appended drops its oldest frames, if need be all except the newest. So that
     * a new log is not left with one frame, {@link OpenRooms#tick} keeps an eighth free.
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

        /** Returns what is to be held after a tick at most: seven eighths. */
        long mostAfterTick() {
            return maxBytes - maxBytes / 8;
        }

        boolean isExceeded() {
            return held.get() > maxBytes;
        }
    }

    private volatile Lineage lineage;
    private final Budget budget;
    private final AtomicReferenceArray<@Nullable Frame> ring;
    private final long maxBytes;
    private final long maxAgeNanos;
    private final LongSupplier nanoTime;

    /**
     * Spans of expired messages that are kept, at most: the one that was noted last, and the
     * longest ones.
     */
    static final int MAX_EXPIRED_SPANS = 16;

    /** The messages that were found to have expired, in spans that do not touch each other. */
    private volatile List<ExpiredSpan> expired = List.of();

    private volatile long head;
    private volatile long oldest;
    private long bytes;

    /**
     * Messages that have all expired.
     *
     * @param after offset of the last message before them
     * @param last offset of the last one
     */
    private record ExpiredSpan(long after, long last) {

        boolean touches(ExpiredSpan other) {
            return after <= other.last && other.after <= last;
        }

        ExpiredSpan joinedWith(ExpiredSpan other) {
            return new ExpiredSpan(Math.min(after, other.after), Math.max(last, other.last));
        }

        long length() {
            return last - after;
        }
    }

    /**
     * @param after offset of the last message before the log; the first frame has the next one
     * @param capacity how many frames the log has at most, 1 or more
     * @param maxBytes estimated heap of the frames, at most; the newest frame is kept however long
     * @param maxAgeNanos age of a message, at most
     * @param nanoTime as {@link System#nanoTime}, by which frames say when they were accepted
     */
    RoomLog(
            Lineage lineage,
            long after,
            int capacity,
            long maxBytes,
            Budget budget,
            long maxAgeNanos,
            LongSupplier nanoTime) {
        this.lineage = lineage;
        this.head = after;
        this.oldest = after + 1;
        this.ring = new AtomicReferenceArray<>(capacity);
        this.maxBytes = maxBytes;
        this.budget = budget;
        this.maxAgeNanos = maxAgeNanos;
        this.nanoTime = nanoTime;
    }

    /** Returns the epochs in which the log's messages were counted. */
    public Lineage lineage() {
        return lineage;
    }

    /** Returns the present epoch. */
    public String epoch() {
        return lineage.epoch();
    }

    /** Returns the position of a client that received everything up to an offset. */
    public EventId idAt(long offset) {
        return lineage.idAt(offset);
    }

    /**
     * Tells whether a client that received everything up to a position can continue from this log:
     * the position is in its lineage, and everything after it is in the ring.
     */
    public boolean covers(EventId position) {
        // The head is read before the lineage. A client comes with k3f9-8, which the broker has
        // lost: the log ends at 5. If the lineage were read first, another thread could then
        // continue in 9xx1 and append 6 to 8 before the head is read. The former epoch and the
        // present head would cover k3f9-8, and the client would get neither 9xx1-6 to 9xx1-8 nor a
        // gap. In this order a position may seem to lie ahead of the log that does not; then the
        // broker is asked.
        long newest = head;
        return lineage.includes(position, newest) && reaches(position.offset());
    }

    /**
     * Continues in another epoch.
     *
     * @param next a lineage that includes all messages of this log
     */
    void continueIn(Lineage next) {
        lineage = next;
    }

    /** Returns the offset of the newest message, also if its frame was dropped. */
    public long head() {
        return head;
    }

    /** Returns the offset of the oldest frame; {@code head + 1} if there is none. */
    public long oldest() {
        return oldest;
    }

    /**
     * Returns the frame at an offset; null if it was dropped, is too old, or was not appended yet.
     */
    public @Nullable Frame frame(long offset) {
        Frame frame = ring.get(slot(offset));
        return frame != null && frame.offset() == offset && !isTooOld(frame) ? frame : null;
    }

    /**
     * Notes that messages have expired, which may have left the ring. Spans are kept apart: a
     * reader that goes past a long one, and then comes to expired messages between lasting ones,
     * would otherwise make every reader after it read the long one again.
     *
     * @param after offset of the last message before them
     * @param last offset of the last one, at most the head
     * @param retained offset of the oldest message that the broker retains; spans that end earlier
     *     are forgotten, unless they end right before it, where they still lead to it
     */
    synchronized void noteExpired(long after, long last, long retained) {
        if (last <= after) {
            return;
        }
        var noted = new ExpiredSpan(after, last);
        List<ExpiredSpan> others = new ArrayList<>();
        for (ExpiredSpan known : expired) {
            if (known.touches(noted)) {
                noted = noted.joinedWith(known);
            } else if (known.last + 1 >= retained) {
                others.add(known);
            }
        }
        if (others.size() >= MAX_EXPIRED_SPANS) {
            // Not the one that is noted now, however short it is: it grows with the next pages.
            others.remove(Collections.min(others, Comparator.comparingLong(ExpiredSpan::length)));
        }
        others.add(noted);
        expired = List.copyOf(others);
    }

    /**
     * Returns the offset up to which all messages after another offset are known to have expired,
     * so that a cursor there can step over them; that other offset if nothing is known.
     */
    public long endOfExpired(long after) {
        for (ExpiredSpan known : expired) {
            if (known.after <= after && after < known.last) {
                return known.last;
            }
        }
        return after;
    }

    /** Tells whether every message after an offset, up to the head, is in the ring. */
    public boolean reaches(long offset) {
        return offset >= oldest - 1 && (offset >= head || frame(offset + 1) != null);
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
        dropTooOld();
    }

    /** Drops the oldest frames for as long as they are too old, if need be all. */
    void dropTooOld() {
        while (oldest <= head) {
            Frame frame = ring.get(slot(oldest));
            if (frame != null && !isTooOld(frame)) {
                return;
            }
            dropOldest();
        }
    }

    /** Returns the estimated heap of the frames, in bytes. */
    long bytes() {
        return bytes;
    }

    /** Drops the oldest frames, except the newest one, while they take more bytes than this. */
    void shorten(long most) {
        while (oldest < head && bytes > most) {
            dropOldest();
        }
    }

    private boolean isTooOld(Frame frame) {
        return nanoTime.getAsLong() - frame.acceptedNanos() >= maxAgeNanos;
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
     * A message of a log, and its encoded bytes, which all cursors share. A message is encoded in a
     * format when the first cursor needs it. Two threads that need it at the same moment may both
     * encode it; the results are equal.
     */
    public static final class Frame {

        /**
         * Estimated heap of a frame without the values of its message: the objects of both, the
         * ring's slot, and what both formats have beside these values.
         */
        private static final int OVERHEAD_BYTES = 500;

        private static final int FORMATS = Format.values().length;

        private final StoredMessage message;
        private final FrameEncoder encoder;
        private final long acceptedNanos;
        private final long ttlNanos;
        private final long cost;
        private final AtomicReferenceArray<byte @Nullable []> encoded =
                new AtomicReferenceArray<>(FORMATS);

        /**
         * Makes a frame that is not encoded yet.
         *
         * @param acceptedNanos when the broker accepted the message, in terms of {@link
         *     System#nanoTime} on this pod, whose clock may be wrong
         */
        Frame(StoredMessage message, FrameEncoder encoder, long acceptedNanos) {
            this.message = message;
            this.encoder = encoder;
            this.acceptedNanos = acceptedNanos;
            this.ttlNanos =
                    message.message()
                            .ttl()
                            .map(ttl -> TimeUnit.SECONDS.toNanos(ttl.toSeconds()))
                            .orElse(Long.MAX_VALUE);
            this.cost = cost(message.message());
        }

        /** Returns the message. */
        public StoredMessage message() {
            return message;
        }

        /** Returns the message's offset. */
        public long offset() {
            return message.offset();
        }

        long acceptedNanos() {
            return acceptedNanos;
        }

        /**
         * Tells whether the message's {@code ttl} is over. Its frame keeps its place in the log and
         * is not written to streams any more.
         *
         * @param nowNanos from {@link System#nanoTime}
         */
        public boolean isExpired(long nowNanos) {
            return ttlNanos != Long.MAX_VALUE && nowNanos - acceptedNanos >= ttlNanos;
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
         * Estimates the heap of the frame, in bytes, when it is encoded in both formats: two bytes
         * for each UTF-16 unit of its message's values, and these as they are encoded in each
         * format. The bytes of the message's body ({@link MessageJson#writeBody}) are not more.
         */
        long cost() {
            return cost;
        }

        private static long cost(Message message) {
            return OVERHEAD_BYTES
                    + MessageSize.heap(message)
                    + FORMATS * MessageSize.encoded(message);
        }
    }
}
