package dev.parley.broker.memory;

import dev.parley.broker.Broker;
import dev.parley.broker.Broker.PublishRequest;
import dev.parley.broker.Broker.Receipt;
import dev.parley.broker.BrokerMeters;
import dev.parley.broker.BrokerState;
import dev.parley.broker.Epochs;
import dev.parley.broker.HistoryBounds;
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
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
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
    private final LongSupplier nanoTime;

    /** Rooms that have messages and were read, in order of last use, least recent first. */
    private final Map<Room, RetainedRoom> read = new LinkedHashMap<>(16, 0.75f, true);

    /** Rooms that have messages and were never read, in order of last use, least recent first. */
    private final Map<Room, RetainedRoom> unread = new LinkedHashMap<>(16, 0.75f, true);

    /**
     * Rooms that have messages, and had listeners when rooms without listeners were to be
     * forgotten. They are kept apart from then on, so that not every further publish at the ceiling
     * passes over them again. Changed under the lock, and read without it by {@link #unsubscribe}.
     */
    private final Map<Room, RetainedRoom> listened = new ConcurrentHashMap<>();

    /** Rooms of {@link #listened} that a listener has left, so that they may have none now. */
    private final Set<Room> left = ConcurrentHashMap.newKeySet();

    /** All rooms that have messages, the smallest first. */
    private final NavigableSet<RetainedRoom> bySize =
            new TreeSet<>(
                    Comparator.<RetainedRoom>comparingLong(room -> room.weight)
                            .thenComparingLong(room -> room.number));

    /**
     * Epochs of rooms that were read and have no messages yet. The first message is counted in that
     * epoch, so that a client that was there before it can resume.
     */
    private final Map<Room, String> empty = new LinkedHashMap<>(16, 0.75f, true);

    /** How many rooms were given a log. */
    private long logs;

    private long bytes;
    private final RoomListeners listeners;
    private final BrokerMeters meters;
    private final CeilingMeters ceilingMeters;

    /** A room that has messages. */
    private static final class RetainedRoom {

        private final Room room;
        private final MemoryLog log;
        private final long number;

        /** The log's bytes as they are counted in {@link #bytes}, and by {@link #bySize}. */
        private long weight;

        RetainedRoom(Room room, MemoryLog log, long number) {
            this.room = room;
            this.log = log;
            this.number = number;
        }
    }

    /**
     * @param maxBytes bound of the estimated heap of all logs together, in bytes
     */
    public MemoryBroker(
            RoomHistories histories, long maxBytes, Clock clock, MeterRegistry registry) {
        this(histories, maxBytes, clock, System::nanoTime, registry, new RoomListeners());
    }

    /**
     * @param nanoTime for the time that passes, as {@link System#nanoTime}
     */
    MemoryBroker(
            RoomHistories histories,
            long maxBytes,
            Clock clock,
            LongSupplier nanoTime,
            MeterRegistry registry,
            RoomListeners listeners) {
        this.listeners = listeners;
        this.histories = histories;
        this.meters = new BrokerMeters(registry, this);
        this.ceilingMeters = new CeilingMeters(registry, this);
        this.maxBytes = maxBytes;
        this.clock = clock;
        this.nanoTime = nanoTime;
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
    public HistoryBounds bounds(Room room) {
        return histories.bounds(room);
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
        if (listened.containsKey(room)) {
            left.add(room);
        }
    }

    @Override
    public BrokerState state() {
        return new BrokerState.Up();
    }

    /** Returns the estimated heap of all logs together. */
    synchronized long bytes() {
        return bytes;
    }

    private synchronized Receipt append(PublishRequest request) {
        Room room = request.message().room();
        RetainedRoom retained = retained(room);
        StoredMessage stored;
        try {
            Receipt known = retained.log.receipt(request);
            if (known != null) {
                return known;
            }
            stored = retained.log.append(request);
        } finally {
            // Looking a receipt up drops expired ones, also if the key turns out to be used.
            weigh(retained);
        }
        forgetOverCeiling(retained);
        List<Listener> readers = listeners.of(room);
        if (!readers.isEmpty()) {
            meters.received();
            readers.forEach(listener -> listener.onMessage(stored));
        }
        return new Receipt(stored.id(), false);
    }

    private synchronized Page page(Room room, Range range) {
        RetainedRoom neverRead = unread.remove(room);
        if (neverRead != null) {
            read.put(room, neverRead);
        }
        RetainedRoom known = known(room);
        if (known != null) {
            Page page = known.log.page(range);
            weigh(known);
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
        RetainedRoom known = known(room);
        if (known != null && known.log.epoch().equals(epoch)) {
            known.log.endEpoch();
        }
    }

    private @Nullable RetainedRoom known(Room room) {
        RetainedRoom known = read.get(room);
        if (known == null) {
            known = unread.get(room);
        }
        return known == null ? listened.get(room) : known;
    }

    /**
     * Returns the room with its log, or makes the log for the room's first message. A room that was
     * read before has its epoch already.
     */
    private RetainedRoom retained(Room room) {
        RetainedRoom known = known(room);
        if (known != null) {
            return known;
        }
        String epoch = empty.remove(room);
        var log =
                new MemoryLog(
                        epoch == null ? Epochs.next() : epoch,
                        histories.bounds(room),
                        histories.receipts(),
                        clock,
                        nanoTime);
        var created = new RetainedRoom(room, log, ++logs);
        (epoch == null ? unread : read).put(room, created);
        weigh(created);
        return created;
    }

    /** Counts what a room's log has grown or shrunk by. */
    private void weigh(RetainedRoom changed) {
        bySize.remove(changed);
        bytes += changed.log.bytes() - changed.weight;
        changed.weight = changed.log.bytes();
        bySize.add(changed);
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
     *
     * <p>Each room that is visited first drops what is too old ({@link #dropExpired}), and keeps
     * the rest if that makes room enough.
     *
     * <p>None of them visits all rooms, of which there may be ten thousand: all publishes wait for
     * the lock meanwhile.
     */
    private void forgetOverCeiling(RetainedRoom grown) {
        if (bytes <= maxBytes) {
            return;
        }
        forget(unread, grown);
        shorten(grown, maxBytes / SHARES);
        returnLeft();
        forget(read, grown);
        while (bytes > maxBytes && shrinkLargest(grown)) {
            // Each turn drops messages and receipts of one room, or the room.
        }
    }

    /** Has rooms be forgotten again that were kept apart, and that the last listener has left. */
    private void returnLeft() {
        for (Iterator<Room> gone = left.iterator(); gone.hasNext(); ) {
            Room room = gone.next();
            gone.remove();
            RetainedRoom retained = listened.get(room);
            if (retained != null && listeners.of(room).isEmpty()) {
                listened.remove(room);
                read.put(room, retained);
            }
        }
    }

    /** Forgets rooms without listeners, and keeps those that have some apart. */
    @SuppressWarnings("ReferenceEquality") // There is one for each room.
    private void forget(Map<Room, RetainedRoom> rooms, RetainedRoom grown) {
        var oldest = rooms.values().iterator();
        while (bytes > maxBytes && oldest.hasNext()) {
            RetainedRoom next = oldest.next();
            if (next == grown) {
                continue;
            }
            if (dropExpired(next) && bytes <= maxBytes) {
                return;
            }
            oldest.remove();
            if (listeners.of(next.room).isEmpty()) {
                onForgotten(next);
            } else {
                keepApart(next);
            }
        }
    }

    private void keepApart(RetainedRoom one) {
        listened.put(one.room, one);
        if (listeners.of(one.room).isEmpty()) {
            // The last listener has left since, and unsubscribe() may not have found the room here.
            left.add(one.room);
        }
    }

    /**
     * Drops the messages and receipts of a room that are too old. A room in which nothing is
     * published or read has them for as long as it is not visited.
     *
     * @return whether there were any
     */
    private boolean dropExpired(RetainedRoom room) {
        room.log.dropExpired();
        if (room.log.bytes() == room.weight) {
            return false;
        }
        weigh(room);
        return true;
    }

    private void onForgotten(RetainedRoom room) {
        bySize.remove(room);
        bytes -= room.weight;
        ceilingMeters.onForgotten(room.log);
    }

    private void shorten(RetainedRoom room, long share) {
        int messages = room.log.messages();
        int receipts = room.log.receipts();
        while (isAboveCeilingWith(room) && room.log.bytes() > share && room.log.dropOldest()) {
            // Each turn drops one message or one receipt.
        }
        ceilingMeters.onShortened(room.log, messages, receipts);
        weigh(room);
    }

    /** Tells whether all logs together are above the ceiling, by the present bytes of one. */
    private boolean isAboveCeilingWith(RetainedRoom shrunk) {
        return bytes - shrunk.weight + shrunk.log.bytes() > maxBytes;
    }

    /**
     * Drops the oldest messages and receipts of the largest room, as far as is necessary and until
     * it is smaller than the next one; or the room if it has only one message and no receipts of
     * earlier ones. If the room has any that are too old, drops these only.
     *
     * @param grown the room that just grew, which keeps its newest message
     * @return whether anything was dropped
     */
    @SuppressWarnings("ReferenceEquality") // There is one for each room.
    private boolean shrinkLargest(RetainedRoom grown) {
        RetainedRoom largest = bySize.last();
        if (largest == grown && !grown.log.canDropOldest()) {
            largest = bySize.lower(grown);
        }
        if (largest == null) {
            return false;
        }
        if (dropExpired(largest)) {
            return true;
        }
        RetainedRoom next = bySize.lower(largest);
        long least = next == null ? 0 : next.weight;
        int messages = largest.log.messages();
        int receipts = largest.log.receipts();
        boolean isDropped = false;
        while (isAboveCeilingWith(largest)
                && largest.log.bytes() >= least
                && largest.log.dropOldest()) {
            isDropped = true;
        }
        if (isDropped) {
            ceilingMeters.onShortened(largest.log, messages, receipts);
            weigh(largest);
        } else {
            onForgotten(largest);
            read.remove(largest.room);
            unread.remove(largest.room);
            listened.remove(largest.room);
        }
        return true;
    }
}
