package dev.parley.delivery;

import dev.parley.log.Format;
import dev.parley.log.Frame;
import dev.parley.log.RoomLog;
import dev.parley.log.RoomReplica;
import dev.parley.message.Message;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The cursors of one room on one event loop. All methods but {@link #onLogChanged} and {@link
 * #onPlainText} are called on that loop, so nothing is locked.
 */
final class SubscriberGroup implements RoomReplica.Observer {

    private final RoomReplica room;
    private final DeliveryLoop loop;
    private final DeliveryMeters meters;
    private final Clock clock;
    private final AtomicBoolean signalled = new AtomicBoolean();
    private final List<Cursor> cursors = new ArrayList<>();

    /** The log whose messages are being timed, and the offset of the last one that was. */
    private @Nullable RoomLog timedLog;

    private long timedOffset;

    SubscriberGroup(RoomReplica room, DeliveryLoop loop, DeliveryMeters meters, Clock clock) {
        this.room = room;
        this.loop = loop;
        this.meters = meters;
        this.clock = clock;
        if (room.isOpen()) {
            RoomLog log = room.log();
            timeFrom(log, log.head());
        }
    }

    /** Arms the loop, once until it runs. Called on any thread. */
    @Override
    public void onLogChanged() {
        if (signalled.compareAndSet(false, true)) {
            loop.arm(this);
        }
    }

    /** Writes a text without a position to all live cursors. Called on any thread. */
    @Override
    public void onPlainText(String text) {
        var message = Message.of(room.room(), text, clock.instant());
        loop.execute(() -> deliverPlain(message));
    }

    void add(Cursor cursor) {
        if (cursors.isEmpty()) {
            room.addObserver(this);
        }
        cursor.index(cursors.size());
        cursors.add(cursor);
    }

    /** Removes a cursor. Swap-remove: O(1), however many leave at once; order does not matter. */
    void remove(Cursor cursor) {
        Cursor last = cursors.remove(cursors.size() - 1);
        if (last != cursor) {
            cursors.set(cursor.index(), last);
            last.index(cursor.index());
        }
        if (cursors.isEmpty()) {
            room.removeObserver(this);
        }
    }

    boolean isEmpty() {
        return cursors.isEmpty();
    }

    /** Moves every cursor as far as its connection allows. */
    void advance() {
        signalled.set(false);
        if (room.isOpen()) {
            RoomLog log = room.log();
            try (var batches = new BatchCache(log, meters)) {
                // Backwards, because a stream that ends removes its cursor, and the last one moves
                // there.
                for (int i = cursors.size() - 1; i >= 0; i--) {
                    Cursor cursor = cursors.get(i);
                    cursor.stream().guarded(stream -> cursor.advance(batches));
                }
                recordLatency(log, batches.head());
            }
        }
    }

    private void deliverPlain(Message message) {
        var encoded = new PlainBuffers(message);
        for (int i = cursors.size() - 1; i >= 0; i--) {
            Cursor cursor = cursors.get(i);
            cursor.stream().guarded(stream -> cursor.onPlain(encoded));
        }
    }

    /**
     * Records fan-out latency once per message and event loop; messages older than this group's
     * first cursor are skipped.
     */
    private void recordLatency(RoomLog log, long head) {
        if (timedLog != log) {
            timeFrom(log, head);
        }
        Instant now = clock.instant();
        timedOffset = Math.max(timedOffset, log.oldest() - 1);
        for (; timedOffset < head; timedOffset++) {
            Frame frame = log.frame(timedOffset + 1);
            if (frame != null) {
                meters.fannedOut(Duration.between(frame.message().message().at(), now));
            }
        }
    }

    private void timeFrom(RoomLog log, long head) {
        timedLog = log;
        timedOffset = head;
    }

    /** A text without a position, encoded once per format for all cursors of the event loop. */
    static final class PlainBuffers {

        private final Message message;
        private final Map<Format, byte[]> encoded = new EnumMap<>(Format.class);

        PlainBuffers(Message message) {
            this.message = message;
        }

        byte[] bytes(Format format, StreamEncoder encoder) {
            return encoded.computeIfAbsent(format, wanted -> encoder.plain(message, wanted));
        }
    }
}
