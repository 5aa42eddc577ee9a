package dev.parley.delivery;

import dev.parley.message.Message;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The readers of one room on one event loop. All but {@link #signal()} happens on that loop, so
 * nothing here is locked.
 */
final class Readers {

    private final LiveRoom room;
    private final Pump pump;
    private final HubMeters meters;
    private final Clock clock;
    private @Nullable RoomLog timedLog;
    private long timed;
    private final AtomicBoolean signalled = new AtomicBoolean();
    private final List<Subscriber> subscribers = new ArrayList<>();

    Readers(LiveRoom room, Pump pump, HubMeters meters, Clock clock) {
        this.room = room;
        this.pump = pump;
        this.meters = meters;
        this.clock = clock;
        if (room.isOpen()) {
            RoomLog log = room.log();
            timeFrom(log, log.head());
        }
    }

    /**
     * The room's log has changed: the cursors are moved soon, once however often this is called.
     */
    void signal() {
        if (signalled.compareAndSet(false, true)) {
            pump.arm(this);
        }
    }

    void add(Subscriber subscriber) {
        if (subscribers.isEmpty()) {
            room.join(this);
        }
        subscriber.index(subscribers.size());
        subscribers.add(subscriber);
    }

    /** The last one takes the free place: no search and no shift, however many leave at once. */
    void remove(Subscriber subscriber) {
        Subscriber last = subscribers.remove(subscribers.size() - 1);
        if (last != subscriber) {
            subscribers.set(subscriber.index(), last);
            last.index(subscriber.index());
        }
        if (subscribers.isEmpty()) {
            room.leave(this);
        }
    }

    boolean isEmpty() {
        return subscribers.isEmpty();
    }

    /** Moves every cursor as far as its connection allows. */
    void advance() {
        signalled.set(false);
        if (room.isOpen()) {
            RoomLog log = room.log();
            try (var batches = new Batches(log, meters)) {
                each(subscriber -> subscriber.advance(batches));
                time(log, batches.head());
            }
        }
    }

    /** Each message once; those from before the first reader came have nobody to be late for. */
    private void time(RoomLog log, long head) {
        if (timedLog != log) {
            timeFrom(log, head);
        }
        Instant now = clock.instant();
        for (timed = Math.max(timed, log.oldest() - 1); timed < head; timed++) {
            Frame frame = log.frame(timed + 1);
            if (frame != null) {
                meters.fannedOut(Duration.between(frame.message().message().at(), now));
            }
        }
    }

    private void timeFrom(RoomLog log, long head) {
        timedLog = log;
        timed = head;
    }

    /** Any thread: whoever is live gets this too. */
    void plain(Message message, FrameEncoder encoder) {
        pump.execute(
                () ->
                        each(
                                subscriber ->
                                        subscriber.plain(
                                                encoder.plain(message, subscriber.format()))));
    }

    /** Backwards, since a subscriber that ends is taken out meanwhile. */
    void each(Consumer<Subscriber> action) {
        for (int i = subscribers.size() - 1; i >= 0; i--) {
            subscribers.get(i).guarded(action);
        }
    }
}
