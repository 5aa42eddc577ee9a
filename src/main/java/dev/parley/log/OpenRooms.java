package dev.parley.log;

import dev.parley.broker.Broker;
import dev.parley.broker.LostHistories;
import dev.parley.message.Room;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The rooms that have, or recently had, cursors on this pod. A room is added with its first cursor.
 * It is dropped some time ({@link LogConfig#linger}) after its last cursor has left, so that a
 * client that reconnects finds the log in memory. Thread-safe.
 */
public final class OpenRooms {

    /**
     * Most rooms without cursors that are kept. Any client can open rooms with made-up names, and
     * each of them takes some kilobytes while it lingers.
     */
    private static final int MAX_LINGERING = 1000;

    private final Broker broker;
    private final FrameEncoder encoder;
    private final LogConfig config;
    private final RoomLog.Budget budget;
    private final LogMeters meters;
    private final LongSupplier nanoTime;
    private final Map<Room, Entry> entries = new ConcurrentHashMap<>();

    /**
     * The rooms that a cursor has left most recently, the least recent first, at most {@link
     * #MAX_LINGERING}. Some still have cursors, and some have been dropped.
     */
    private final Set<Room> lingering = new LinkedHashSet<>();

    /**
     * Begins without rooms, and registers the metrics.
     *
     * @param lost the pod's one, which the broker may have too
     */
    public OpenRooms(
            Broker broker,
            FrameEncoder encoder,
            LogConfig config,
            LostHistories lost,
            MeterRegistry registry) {
        this(broker, encoder, config, lost, registry, System::nanoTime);
    }

    /**
     * @param nanoTime as {@link System#nanoTime}
     */
    OpenRooms(
            Broker broker,
            FrameEncoder encoder,
            LogConfig config,
            LostHistories lost,
            MeterRegistry registry,
            LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.broker = broker;
        this.encoder = encoder;
        this.config = config;
        this.budget = new RoomLog.Budget(config.totalBytes().asLongValue());
        this.meters = new LogMeters(registry, lost);
        Gauge.builder("parley.rooms", entries, Map::size)
                .description("Rooms held in memory")
                .register(registry);
    }

    /**
     * A room's replica and the number of its cursors. Its fields are read and written only inside a
     * {@code compute…} method of the map, which locks the entry.
     */
    private static final class Entry {

        private final RoomReplica replica;
        private int cursors;
        private long idleSinceNanos;
        private long comparedNanos;

        Entry(RoomReplica replica, long nowNanos) {
            this.replica = replica;
            this.comparedNanos = nowNanos;
        }
    }

    /**
     * Tells whether a room is one too many ({@link LogConfig#rooms}). Rooms that are in memory
     * already never are.
     */
    public boolean isFullFor(Room room) {
        return entries.size() >= config.rooms() && !entries.containsKey(room);
    }

    /**
     * Counts a cursor in and returns its room's replica, which the caller releases when the cursor
     * ends.
     *
     * @param nowNanos from {@link System#nanoTime}
     */
    public RoomReplica acquire(Room room, long nowNanos) {
        Entry acquired =
                entries.compute(
                        room,
                        (name, known) -> {
                            Entry entry = known;
                            if (entry != null && entry.replica.couldNotOpen()) {
                                entry.replica.close();
                                entry = null;
                            }
                            if (entry == null) {
                                entry = new Entry(replica(room), nowNanos);
                            }
                            entry.cursors++;
                            return entry;
                        });
        return acquired.replica;
    }

    /**
     * Counts a cursor out.
     *
     * @param nowNanos from {@link System#nanoTime}
     */
    public void release(RoomReplica replica, long nowNanos) {
        entries.computeIfPresent(
                replica.room(),
                (name, entry) -> {
                    // If this replica could not open, another one may have replaced it.
                    if (entry.replica.equals(replica)) {
                        entry.cursors--;
                        entry.idleSinceNanos = nowNanos;
                    }
                    return entry;
                });
        boundLingering(replica.room());
    }

    /**
     * Notes that a cursor has left a room. If too many rooms are noted, drops the one that was left
     * least recently, unless it has cursors.
     */
    private void boundLingering(Room left) {
        Room oldest = null;
        synchronized (lingering) {
            lingering.remove(left);
            lingering.add(left);
            if (lingering.size() > MAX_LINGERING) {
                oldest = lingering.iterator().next();
                lingering.remove(oldest);
            }
        }
        if (oldest != null) {
            entries.computeIfPresent(
                    oldest,
                    (name, entry) -> {
                        if (entry.cursors > 0) {
                            return entry;
                        }
                        entry.replica.close();
                        return null;
                    });
        }
    }

    /**
     * Drops rooms whose linger is over, and messages that are too old, shortens the largest logs
     * while the memory of all logs is nearly used up, and compares the rooms whose audit is due
     * with the broker.
     *
     * @param nowNanos from {@link System#nanoTime}
     */
    public void tick(long nowNanos) {
        List<RoomReplica> due = new ArrayList<>();
        for (Room room : entries.keySet()) {
            entries.computeIfPresent(room, (name, entry) -> tend(entry, nowNanos, due));
        }
        keepMemoryFree();
        due.forEach(RoomReplica::compare);
    }

    /**
     * Shortens the largest logs until an eighth of the memory of all logs is free. Otherwise rooms
     * that were opened first would keep it, and a log that is opened later would have one frame:
     * then each two messages that arrive together would send each reader of it to the broker.
     */
    private void keepMemoryFree() {
        long most = budget.mostAfterTick();
        if (budget.held() <= most) {
            return;
        }
        List<RoomReplica> replicas = entries.values().stream().map(entry -> entry.replica).toList();
        long share = share(replicas.stream().mapToLong(RoomReplica::bytes).toArray(), most);
        replicas.forEach(replica -> replica.shorten(share));
    }

    /**
     * Returns the greatest size of a log with which all together are not above a bound, if larger
     * ones are shortened to it.
     */
    static long share(long[] sizes, long bound) {
        Arrays.sort(sizes);
        long left = bound;
        for (int i = 0; i < sizes.length; i++) {
            long share = left / (sizes.length - i);
            if (sizes[i] > share) {
                return share;
            }
            left -= sizes[i];
        }
        return Long.MAX_VALUE;
    }

    /** Returns the entry, or null if its room is dropped. Adds a replica to {@code due}. */
    private @Nullable Entry tend(Entry entry, long nowNanos, List<RoomReplica> due) {
        if (entry.cursors == 0 && nowNanos - entry.idleSinceNanos >= config.linger().toNanos()) {
            entry.replica.close();
            return null;
        }
        entry.replica.dropTooOld();
        if (entry.replica.isOpen() && nowNanos - entry.comparedNanos >= config.audit().toNanos()) {
            entry.comparedNanos = nowNanos;
            due.add(entry.replica);
        }
        return entry;
    }

    private RoomReplica replica(Room room) {
        return new RoomReplica(room, broker, encoder, config, budget, meters, nanoTime);
    }
}
