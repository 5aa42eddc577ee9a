package dev.parley.delivery;

import dev.parley.log.Format;
import dev.parley.log.RoomLog;
import dev.parley.log.RoomReplica;
import dev.parley.message.Message;
import dev.parley.message.Room;
import java.io.ByteArrayOutputStream;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Moves the cursors of all streams whose connections live on one event loop. All methods except
 * {@link #execute} and {@link #arm} are called on that loop, so nothing is locked.
 *
 * <p>A burst of messages arms the loop once. When the round runs, all of them are in the logs, and
 * each cursor writes them together. After a round the loop pauses for as long as the round took, up
 * to a bound. Messages that arrive during the pause leave in one write too, so the cost of a
 * message falls as the rate rises.
 */
final class DeliveryLoop {

    /**
     * Most characters of plain texts that wait for their turn on the event loop, of one room. Texts
     * above it are dropped: any number can come from Redis, and they are not stored anyway.
     */
    static final int MAX_WAITING_PLAIN = 1_000_000;

    /** What a text that waits counts beside its characters. */
    private static final int PLAIN_OVERHEAD = 200;

    /** Characters of plain texts that are written together, unless a single one is longer. */
    private static final int MAX_PLAIN_WRITE = 64 * 1024;

    private final EventLoop eventLoop;
    private final long maxPaceNanos;
    private final Duration sweepPause;
    private final DeliveryMeters meters;
    private final Clock clock;
    private final List<Stream> streams = new ArrayList<>();
    private final Map<RoomReplica, CursorGroup> groups = new HashMap<>();
    private final Queue<CursorGroup> due = new ConcurrentLinkedQueue<>();
    private long notBeforeNanos = System.nanoTime();
    private final AtomicBoolean armed = new AtomicBoolean();

    DeliveryLoop(EventLoop eventLoop, EventsConfig config, DeliveryMeters meters, Clock clock) {
        this.eventLoop = eventLoop;
        this.maxPaceNanos = config.maxPace().toNanos();
        this.sweepPause = Hub.tickInterval(config);
        this.meters = meters;
        this.clock = clock;
    }

    /** Runs an action on the event loop, later. */
    void execute(Runnable action) {
        eventLoop.execute(action);
    }

    /** Schedules a round for a group whose room's log has changed. Called on any thread. */
    private void arm(CursorGroup group) {
        due.add(group);
        if (armed.compareAndSet(false, true)) {
            eventLoop.execute(this::runPaced);
        }
    }

    void add(Stream stream) {
        stream.index(streams.size());
        streams.add(stream);
    }

    /** Removes a stream. Swap-remove: O(1); order does not matter. */
    void remove(Stream stream) {
        Stream last = streams.remove(streams.size() - 1);
        if (last != stream) {
            streams.set(stream.index(), last);
            last.index(stream.index());
        }
    }

    void add(Cursor cursor, RoomReplica room) {
        groups.computeIfAbsent(room, CursorGroup::new).add(cursor);
    }

    void remove(Cursor cursor, RoomReplica room) {
        CursorGroup group = groups.get(room);
        if (group != null) {
            group.remove(cursor);
            if (group.isEmpty()) {
                groups.remove(room);
            }
        }
    }

    /**
     * Sends heartbeats, ends streams that are slow for too long or too old, and lets cursors catch
     * up.
     *
     * @param nowNanos from {@link System#nanoTime}
     */
    void sweep(long nowNanos) {
        Instant nextSweep = clock.instant().plus(sweepPause);
        // Backwards, because a stream that ends is removed, and the last one takes its place.
        for (int i = streams.size() - 1; i >= 0; i--) {
            streams.get(i).guarded(stream -> stream.sweep(nowNanos, nextSweep));
        }
    }

    /**
     * Ends a part of this loop's streams, at least one if there is one.
     *
     * @param parts 1 for all of them, 2 for half of them, and so on
     */
    void end(int parts) {
        int share = (streams.size() + parts - 1) / parts;
        List.copyOf(streams.subList(0, share))
                .forEach(stream -> stream.guarded(one -> one.end(DisconnectReason.DRAIN)));
    }

    /** Ends the streams whose holder and rooms meet a condition. */
    void end(BiPredicate<StreamHolder, List<Room>> which, DisconnectReason reason) {
        List.copyOf(streams)
                .forEach(
                        stream ->
                                stream.guarded(
                                        one -> {
                                            if (which.test(one.holder(), one.readRooms())) {
                                                one.end(reason);
                                            }
                                        }));
    }

    /** Returns the clock of the pod. */
    Clock clock() {
        return clock;
    }

    /** Runs a round when the pause after the last one is over, which may be now. */
    private void runPaced() {
        long pause = notBeforeNanos - System.nanoTime();
        if (pause > 0) {
            eventLoop.executeLater(this::run, Duration.ofNanos(pause));
        } else {
            run();
        }
    }

    /**
     * Runs a round: lets every group that is due write to its streams. What other event loops make
     * due meanwhile belongs to the round for as long as the longest pause, and later to the next
     * one. Otherwise rooms that get messages at all times would leave this loop no time for
     * anything else.
     */
    private void run() {
        long started = System.nanoTime();
        armed.set(false);
        Queue<CursorGroup> round = takeDue();
        try {
            while (!round.isEmpty()) {
                round.remove().advance();
                if (round.isEmpty() && System.nanoTime() - started < maxPaceNanos) {
                    round = takeDue();
                }
            }
        } finally {
            // Where a group has failed, the others are not forgotten.
            round.forEach(this::arm);
            long ended = System.nanoTime();
            notBeforeNanos = ended + Math.min(maxPaceNanos, ended - started);
        }
    }

    private Queue<CursorGroup> takeDue() {
        Queue<CursorGroup> taken = new ArrayDeque<>();
        for (CursorGroup next = due.poll(); next != null; next = due.poll()) {
            taken.add(next);
        }
        return taken;
    }

    /**
     * The cursors of one room on this event loop. All methods except {@link #onLogChanged} and
     * {@link #onPlainText} are called on the loop.
     */
    private final class CursorGroup implements RoomReplica.Observer {

        private final RoomReplica replica;
        private final AtomicBoolean signalled = new AtomicBoolean();
        private final List<Cursor> cursors = new ArrayList<>();

        /** Plain texts that wait for the next round. */
        private final Queue<Message> plain = new ConcurrentLinkedQueue<>();

        /** Characters of the plain texts that wait. */
        private final AtomicInteger waitingPlain = new AtomicInteger();

        /** The log of the last round, whose messages were timed. */
        private @Nullable RoomLog timedLog;

        /** The offset that the round reached: that of the message that was timed last. */
        private long timedOffset;

        CursorGroup(RoomReplica replica) {
            this.replica = replica;
            if (replica.isOpen()) {
                RoomLog log = replica.log();
                timeFrom(log, log.head());
            }
        }

        /** Arms the loop, unless that has happened since the last round. Called on any thread. */
        @Override
        public void onLogChanged() {
            if (signalled.compareAndSet(false, true)) {
                arm(this);
            }
        }

        /**
         * Writes a text without an id to all live cursors in the next round; drops it if too many
         * wait. Called on any thread.
         */
        @Override
        public void onPlainText(String text) {
            int cost = plainCost(text);
            if (waitingPlain.addAndGet(cost) > MAX_WAITING_PLAIN) {
                waitingPlain.addAndGet(-cost);
                meters.plainDropped();
                return;
            }
            Instant at = clock.instant().truncatedTo(ChronoUnit.MILLIS);
            plain.add(Message.of(replica.room(), text, at));
            onLogChanged();
        }

        private static int plainCost(String text) {
            return text.length() + PLAIN_OVERHEAD;
        }

        void add(Cursor cursor) {
            if (cursors.isEmpty()) {
                replica.addObserver(this);
            }
            cursor.index(cursors.size());
            cursors.add(cursor);
        }

        /**
         * Removes a cursor. Swap-remove: O(1), however many leave at once; order does not matter.
         */
        void remove(Cursor cursor) {
            Cursor last = cursors.remove(cursors.size() - 1);
            if (last != cursor) {
                cursors.set(cursor.index(), last);
                last.index(cursor.index());
            }
            if (cursors.isEmpty()) {
                replica.removeObserver(this);
            }
        }

        boolean isEmpty() {
            return cursors.isEmpty();
        }

        /** Moves every cursor as far as its connection allows. */
        void advance() {
            signalled.set(false);
            if (replica.isOpen()) {
                RoomLog log = replica.log();
                long reached = timedLog == log ? timedOffset : 0;
                try (var batches = new BatchCache(log, meters, reached)) {
                    // Backwards, because a stream that ends removes its cursor, and the last
                    // cursor takes its place.
                    for (int i = cursors.size() - 1; i >= 0; i--) {
                        Cursor cursor = cursors.get(i);
                        cursor.stream().guarded(stream -> cursor.advance(batches));
                    }
                    recordLatency(log, batches.head());
                }
            }
            writePlain();
        }

        /**
         * Writes the plain texts that wait. One write takes many: with one for each text and
         * cursor, a few thousand texts a second would leave the event loop no time for requests.
         */
        private void writePlain() {
            List<Message> texts = new ArrayList<>();
            int characters = 0;
            for (Message next = plain.poll(); next != null; next = plain.poll()) {
                int cost = plainCost(next.text());
                waitingPlain.addAndGet(-cost);
                if (characters + cost > MAX_PLAIN_WRITE && !texts.isEmpty()) {
                    write(texts);
                    texts = new ArrayList<>();
                    characters = 0;
                }
                texts.add(next);
                characters += cost;
            }
            if (!texts.isEmpty()) {
                write(texts);
            }
        }

        private void write(List<Message> texts) {
            long now = System.nanoTime();
            try (var encoded = new PlainBuffers(texts)) {
                // Backwards, as in advance().
                for (int i = cursors.size() - 1; i >= 0; i--) {
                    Cursor cursor = cursors.get(i);
                    cursor.stream().guarded(stream -> cursor.onPlain(encoded, now));
                }
            }
        }

        /**
         * Records fan-out latency once per message and event loop, by this pod's clock, from the
         * time that the broker gave the message; messages older than this group's first cursor are
         * skipped.
         */
        private void recordLatency(RoomLog log, long head) {
            if (timedLog != log) {
                timeFrom(log, head);
            }
            Instant now = clock.instant();
            timedOffset = Math.max(timedOffset, log.oldest() - 1);
            for (; timedOffset < head; timedOffset++) {
                RoomLog.Frame frame = log.frame(timedOffset + 1);
                if (frame != null) {
                    meters.fannedOut(Duration.between(frame.message().message().at(), now));
                }
            }
        }

        /** Begins to time with the message after an offset. */
        private void timeFrom(RoomLog log, long head) {
            timedLog = log;
            timedOffset = head;
        }
    }

    /**
     * The batches of one round of delivery, for the cursors of one room on this event loop. A batch
     * is the messages between a cursor and the head, joined. Nearly all cursors are at the same
     * offset, so only the last batch of each format is kept.
     */
    static final class BatchCache implements AutoCloseable {

        /** A batch ends with the message that reaches this size. */
        static final int MAX_BYTES = 64 * 1024;

        /**
         * Messages that are sent in one write.
         *
         * @param after the offset of the cursor that the batch is for
         * @param last the offset of that cursor after the batch was sent
         * @param count how many messages it has; those that have expired are left out, so that it
         *     may have none
         * @param endsWithExpired whether the last of the messages that it covers has expired
         */
        record Batch(
                long after,
                long last,
                int count,
                boolean endsWithExpired,
                Connection.SharedBuffer buffer) {}

        private final RoomLog log;
        private final DeliveryMeters meters;
        private final long head;
        private final long sharedFrom;
        private final long nowNanos = System.nanoTime();
        private long deliveries;
        private long bytes;
        private final Map<Format, Batch> latest = new EnumMap<>(Format.class);

        /**
         * @param sharedFrom the offset that the last round has reached; cursors that are behind it
         *     have no batches in common
         */
        BatchCache(RoomLog log, DeliveryMeters meters, long sharedFrom) {
            this.log = log;
            this.meters = meters;
            this.sharedFrom = sharedFrom;
            this.head = log.head();
        }

        RoomLog log() {
            return log;
        }

        /**
         * Returns the offset up to which there are batches. Later messages belong to the next
         * round.
         */
        long head() {
            return head;
        }

        /** Returns the offset from which on the cursors of the room have batches in common. */
        long sharedFrom() {
            return sharedFrom;
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

        /**
         * Returns the batch after an offset.
         *
         * @param offset below the head
         * @return null if the next message has left the ring
         */
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

        /** Counts the messages that fit into a batch, and joins them; null if there are none. */
        private @Nullable Batch gather(long after, Format format) {
            long last = after;
            int size = 0;
            int count = 0;
            boolean expired = false;
            while (last < head && size < MAX_BYTES) {
                RoomLog.Frame frame = log.frame(last + 1);
                if (frame == null) {
                    break;
                }
                expired = frame.isExpired(nowNanos);
                if (!expired) {
                    size += frame.bytes(format).length;
                    count++;
                }
                last++;
            }
            if (last == after) {
                return null;
            }
            byte[] joined = join(after, last, count, size, format);
            return joined == null
                    ? null
                    : new Batch(after, last, count, expired, new Connection.SharedBuffer(joined));
        }

        /** Joins frames; null if one of them has left the ring meanwhile. */
        private byte @Nullable [] join(long after, long last, int count, int size, Format format) {
            byte[] joined = new byte[size];
            int at = 0;
            for (long offset = after + 1; offset <= last; offset++) {
                RoomLog.Frame frame = log.frame(offset);
                if (frame == null) {
                    return null;
                }
                if (frame.isExpired(nowNanos)) {
                    continue;
                }
                byte[] bytes = frame.bytes(format);
                if (count == 1) {
                    return bytes;
                }
                System.arraycopy(bytes, 0, joined, at, bytes.length);
                at += bytes.length;
            }
            return joined;
        }
    }

    /** Texts without an id, encoded once per format for all cursors of the group. */
    static final class PlainBuffers implements AutoCloseable {

        private final List<Message> messages;
        private final Map<Format, Connection.SharedBuffer> encoded = new EnumMap<>(Format.class);

        PlainBuffers(List<Message> messages) {
            this.messages = messages;
        }

        int count() {
            return messages.size();
        }

        Connection.SharedBuffer buffer(Format format, StreamEncoder encoder) {
            return encoded.computeIfAbsent(format, wanted -> joined(wanted, encoder));
        }

        /** Releases the buffers. */
        @Override
        public void close() {
            encoded.values().forEach(Connection.SharedBuffer::close);
            encoded.clear();
        }

        private Connection.SharedBuffer joined(Format format, StreamEncoder encoder) {
            var bytes = new ByteArrayOutputStream();
            messages.forEach(message -> bytes.writeBytes(encoder.plain(message, format)));
            return new Connection.SharedBuffer(bytes.toByteArray());
        }
    }
}
