package dev.parley.broker.memory;

import dev.parley.broker.Broker;
import dev.parley.broker.Broker.PublishRequest;
import dev.parley.broker.Broker.Receipt;
import dev.parley.broker.BrokerMeters;
import dev.parley.broker.BrokerState;
import dev.parley.broker.Epochs;
import dev.parley.broker.Lineage;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.broker.RoomHistories;
import dev.parley.broker.RoomListeners;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import io.micrometer.core.instrument.MeterRegistry;
import io.smallrye.mutiny.Uni;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A broker for one pod, in its memory.
 *
 * <p>Any client can make room names up, and must not be able to push the messages of other rooms
 * out of memory that way. Therefore reading a room without messages makes no log. When all logs
 * together exceed their bound, rooms that were never read are forgotten first, then old messages of
 * the room that grows, and rooms with listeners last ({@link #forgetOverCeiling}).
 *
 * <p>One lock guards the messages of all rooms, because a publish is only a few map and array
 * operations. The listeners are called under the lock, which keeps a room's messages in order. They
 * are added and removed without it: {@link RoomListeners} has a thread-safe map.
 */
public final class MemoryBroker implements Broker {

    /** Most rooms without listeners in {@link #empty}; the least recently used one is removed. */
    static final int MAX_EMPTY = 10_000;

    /** Most rooms with listeners to pass over in search of one to remove. */
    private static final int MAX_PASSED_OVER = 64;

    /**
     * The ceiling divided by this is a room's share: down to it a room that grows is shortened
     * before other rooms that were read are forgotten.
     */
    private static final int SHARES = 8;

    private final RoomHistories histories;
    private final long maxBytes;
    private final Clock clock;

    /** Rooms that have messages and were read, in order of last use, least recent first. */
    private final Map<Room, MemoryLog> read = new LinkedHashMap<>(16, 0.75f, true);

    /** Rooms that have messages and were never read, in order of last use, least recent first. */
    private final Map<Room, MemoryLog> unread = new LinkedHashMap<>(16, 0.75f, true);

    /**
     * Epochs of rooms that were read and have no messages yet. The first message is counted in that
     * epoch, so that a client that was there before it can resume.
     */
    private final Map<Room, String> empty = new LinkedHashMap<>(16, 0.75f, true);

    private long bytes;
    private final RoomListeners listeners = new RoomListeners();
    private final BrokerMeters meters;

    /**
     * @param maxBytes bound of the estimated heap of all logs together, in bytes
     */
    public MemoryBroker(
            RoomHistories histories, long maxBytes, Clock clock, MeterRegistry registry) {
        this.histories = histories;
        this.meters = new BrokerMeters(registry, this);
        this.maxBytes = maxBytes;
        this.clock = clock;
    }

    @Override
    public Uni<Receipt> publish(PublishRequest request) {
        return Uni.createFrom().item(() -> append(request));
    }

    @Override
    public Uni<Page> read(Room room, Range range) {
        return Uni.createFrom().item(() -> page(room, range));
    }

    @Override
    public Duration age(Room room) {
        return histories.bounds(room).age();
    }

    @Override
    public Uni<Void> endEpoch(Room room, String epoch) {
        return Uni.createFrom().voidItem().invoke(() -> end(room, epoch));
    }

    /** Confirms at once: a message that is appended after this reaches the listener. */
    @Override
    public Uni<Void> subscribe(Room room, Listener listener) {
        return Uni.createFrom().voidItem().invoke(() -> listeners.add(room, listener));
    }

    @Override
    public void unsubscribe(Room room, Listener listener) {
        listeners.remove(room, listener);
    }

    @Override
    public BrokerState state() {
        return new BrokerState.Up();
    }

    private synchronized Receipt append(PublishRequest request) {
        Room room = request.message().room();
        MemoryLog log = log(room);
        StoredMessage stored;
        long before = log.bytes();
        try {
            Receipt known = log.receipt(request);
            if (known != null) {
                return known;
            }
            stored = log.append(request);
        } finally {
            // Looking a receipt up drops expired ones, also if the key turns out to be used.
            bytes += log.bytes() - before;
        }
        forgetOverCeiling(room, log);
        List<Listener> readers = listeners.of(room);
        if (!readers.isEmpty()) {
            meters.received();
            readers.forEach(listener -> listener.onMessage(stored));
        }
        return new Receipt(stored.id(), false);
    }

    private synchronized Page page(Room room, Range range) {
        MemoryLog neverRead = unread.remove(room);
        if (neverRead != null) {
            read.put(room, neverRead);
        }
        MemoryLog log = read.get(room);
        if (log != null) {
            long before = log.bytes();
            Page page = log.page(range);
            bytes += log.bytes() - before;
            return page;
        }
        String epoch = empty.computeIfAbsent(room, any -> Epochs.next());
        forgetEmptyRooms();
        return new Page(Lineage.of(epoch), 1, 0, List.of(), clock.instant());
    }

    /**
     * Forgets the epochs of rooms that were read and have no messages, except those that are being
     * read now: their readers would get a gap with the first message.
     */
    private void forgetEmptyRooms() {
        List<Room> inUse = new ArrayList<>();
        Iterator<Room> oldest = empty.keySet().iterator();
        while (empty.size() > MAX_EMPTY && oldest.hasNext() && inUse.size() < MAX_PASSED_OVER) {
            Room room = oldest.next();
            if (listeners.of(room).isEmpty()) {
                oldest.remove();
            } else {
                inUse.add(room);
            }
        }
        // get() moves an entry to the end of this access-ordered map, so the next call does not
        // pass over the same rooms.
        inUse.forEach(empty::get);
    }

    private synchronized void end(Room room, String epoch) {
        MemoryLog log = known(room);
        if (log != null && log.epoch().equals(epoch)) {
            log.endEpoch();
        }
    }

    private @Nullable MemoryLog known(Room room) {
        MemoryLog log = read.get(room);
        return log == null ? unread.get(room) : log;
    }

    /**
     * Returns the room's log, or makes it for the room's first message. A room that was read before
     * has its epoch already.
     */
    private MemoryLog log(Room room) {
        MemoryLog known = known(room);
        if (known != null) {
            return known;
        }
        String epoch = empty.remove(room);
        var created =
                new MemoryLog(
                        epoch == null ? Epochs.next() : epoch,
                        histories.bounds(room),
                        histories.receipts(),
                        clock);
        (epoch == null ? unread : read).put(room, created);
        bytes += created.bytes();
        return created;
    }

    /**
     * Forgets messages and receipts after a message was appended to a room, in this order, until
     * all logs together are not above {@link #maxBytes}:
     *
     * <ol>
     *   <li>rooms that were never read, least recently used first;
     *   <li>the oldest messages and receipts of this room, down to its share ({@link #SHARES});
     *   <li>rooms without listeners, least recently used first;
     *   <li>the oldest messages and receipts of the largest room, or that room.
     * </ol>
     */
    private void forgetOverCeiling(Room room, MemoryLog log) {
        forget(unread, room);
        shorten(log, maxBytes / SHARES);
        forget(read, room);
        while (bytes > maxBytes && shrinkLargest(room)) {
            // Each turn drops one message, one receipt or one room.
        }
    }

    private void forget(Map<Room, MemoryLog> logs, Room kept) {
        var oldest = logs.entrySet().iterator();
        while (bytes > maxBytes && oldest.hasNext()) {
            var entry = oldest.next();
            if (!entry.getKey().equals(kept) && listeners.of(entry.getKey()).isEmpty()) {
                bytes -= entry.getValue().bytes();
                oldest.remove();
            }
        }
    }

    private void shorten(MemoryLog log, long share) {
        long before = log.bytes();
        while (bytes - before + log.bytes() > maxBytes && log.bytes() > share && log.dropOldest()) {
            // Each turn drops one message or one receipt.
        }
        bytes += log.bytes() - before;
    }

    /**
     * Drops the oldest message or receipt of the largest room, or the room if it has only one
     * message and no receipts of earlier ones.
     *
     * @param kept the room that just grew, which keeps its newest message
     * @return whether anything was dropped
     */
    private boolean shrinkLargest(Room kept) {
        Room largest = null;
        MemoryLog log = null;
        for (Map<Room, MemoryLog> logs : List.of(read, unread)) {
            for (Map.Entry<Room, MemoryLog> entry : logs.entrySet()) {
                MemoryLog each = entry.getValue();
                boolean canShrink = !entry.getKey().equals(kept) || each.canDropOldest();
                if (canShrink && (log == null || each.bytes() > log.bytes())) {
                    largest = entry.getKey();
                    log = each;
                }
            }
        }
        if (largest == null || log == null) {
            return false;
        }
        long before = log.bytes();
        if (log.dropOldest()) {
            bytes -= before - log.bytes();
        } else {
            bytes -= before;
            read.remove(largest);
            unread.remove(largest);
        }
        return true;
    }
}
