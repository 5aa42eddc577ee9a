package dev.parley.delivery;

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
 * Moves the cursors of all readers of one event loop. All but {@link #arm} happens on that loop.
 *
 * <p>A burst of messages arms the pump once: by the time it runs, all of them are in the logs and
 * leave in one write per reader. After a round the pump pauses for as long as the round took,
 * within a bound: what arrives meanwhile costs no writes of its own, so the more there is to send,
 * the less a message costs.
 */
final class Pump {

    private final Loop loop;
    private final long maxPaceNanos;
    private final HubMeters meters;
    private final Clock clock;
    private final Map<LiveRoom, Readers> rooms = new HashMap<>();
    private final Queue<Readers> due = new ConcurrentLinkedQueue<>();
    private long notBeforeNanos = System.nanoTime();
    private final AtomicBoolean armed = new AtomicBoolean();

    Pump(Loop loop, Duration maxPace, HubMeters meters, Clock clock) {
        this.loop = loop;
        this.maxPaceNanos = maxPace.toNanos();
        this.meters = meters;
        this.clock = clock;
    }

    /** Runs on the event loop, later. */
    void execute(Runnable action) {
        loop.execute(action);
    }

    /** Any thread: these readers have something to get. */
    void arm(Readers readers) {
        due.add(readers);
        if (armed.compareAndSet(false, true)) {
            loop.execute(this::runPaced);
        }
    }

    void add(Subscriber subscriber, LiveRoom room) {
        rooms.computeIfAbsent(room, r -> new Readers(r, this, meters, clock)).add(subscriber);
    }

    void remove(Subscriber subscriber, LiveRoom room) {
        Readers readers = rooms.get(room);
        if (readers != null) {
            readers.remove(subscriber);
            if (readers.isEmpty()) {
                rooms.remove(room);
            }
        }
    }

    /** Looks after readers that are silent or stuck. */
    void sweep(long nowNanos) {
        for (Readers readers : rooms.values().toArray(Readers[]::new)) {
            readers.each(subscriber -> subscriber.sweep(nowNanos));
        }
    }

    /** Ends one in so many of this loop's streams, at least one. */
    void end(int parts) {
        List<Subscriber> all = new ArrayList<>();
        rooms.values().forEach(readers -> readers.each(all::add));
        int share = (all.size() + parts - 1) / parts;
        all.subList(0, share)
                .forEach(one -> one.guarded(subscriber -> subscriber.end(DisconnectReason.DRAIN)));
    }

    /** At once after a quiet moment; else when the pause since the last round is over. */
    private void runPaced() {
        long pause = notBeforeNanos - System.nanoTime();
        if (pause > 0) {
            loop.executeLater(this::run, Duration.ofNanos(pause));
        } else {
            run();
        }
    }

    private void run() {
        long started = System.nanoTime();
        armed.set(false);
        for (Readers next = due.poll(); next != null; next = due.poll()) {
            next.advance();
        }
        long ended = System.nanoTime();
        notBeforeNanos = ended + Math.min(maxPaceNanos, ended - started);
    }
}
