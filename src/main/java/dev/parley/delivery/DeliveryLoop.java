package dev.parley.delivery;

import dev.parley.log.RoomReplica;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Moves the cursors of all streams whose connections live on one event loop. All methods but {@link
 * #arm} and {@link #execute} are called on that loop, so nothing is locked.
 *
 * <p>A burst of messages arms the loop once. When the round runs, all of them are in the logs, and
 * they leave in one write per cursor. After a round the loop pauses for as long as the round took,
 * up to a bound. Messages that arrive during the pause leave in one write too, so the cost of a
 * message falls as the rate rises.
 */
final class DeliveryLoop {

    private final EventLoop eventLoop;
    private final long maxPaceNanos;
    private final DeliveryMeters meters;
    private final Clock clock;
    private final List<Stream> streams = new ArrayList<>();
    private final Map<RoomReplica, SubscriberGroup> groups = new HashMap<>();
    private final Queue<SubscriberGroup> due = new ConcurrentLinkedQueue<>();
    private long notBeforeNanos = System.nanoTime();
    private final AtomicBoolean armed = new AtomicBoolean();

    DeliveryLoop(EventLoop eventLoop, Duration maxPace, DeliveryMeters meters, Clock clock) {
        this.eventLoop = eventLoop;
        this.maxPaceNanos = maxPace.toNanos();
        this.meters = meters;
        this.clock = clock;
    }

    /** Runs an action on the event loop, later. */
    void execute(Runnable action) {
        eventLoop.execute(action);
    }

    /** Schedules a round for a group whose room has news. Called on any thread. */
    void arm(SubscriberGroup group) {
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
        groups.computeIfAbsent(room, r -> new SubscriberGroup(r, this, meters, clock)).add(cursor);
    }

    void remove(Cursor cursor, RoomReplica room) {
        SubscriberGroup group = groups.get(room);
        if (group != null) {
            group.remove(cursor);
            if (group.isEmpty()) {
                groups.remove(room);
            }
        }
    }

    /** Sends heartbeats, and ends streams that are stuck or too old. */
    void sweep(long nowNanos) {
        // Backwards, because a stream that ends is removed, and the last one takes its place.
        for (int i = streams.size() - 1; i >= 0; i--) {
            streams.get(i).guarded(stream -> stream.sweep(nowNanos));
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

    /** Runs a round when the pause after the last one is over, which may be now. */
    private void runPaced() {
        long pause = notBeforeNanos - System.nanoTime();
        if (pause > 0) {
            eventLoop.executeLater(this::run, Duration.ofNanos(pause));
        } else {
            run();
        }
    }

    private void run() {
        long started = System.nanoTime();
        armed.set(false);
        for (SubscriberGroup next = due.poll(); next != null; next = due.poll()) {
            next.advance();
        }
        long ended = System.nanoTime();
        notBeforeNanos = ended + Math.min(maxPaceNanos, ended - started);
    }
}
