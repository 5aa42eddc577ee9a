package dev.parley.broker.memory;

import dev.parley.broker.Broker;
import dev.parley.broker.BrokerState;
import dev.parley.broker.Epochs;
import dev.parley.broker.HistoryConfig;
import dev.parley.broker.Page;
import dev.parley.broker.PublishRequest;
import dev.parley.broker.Range;
import dev.parley.broker.Receipt;
import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import io.smallrye.mutiny.Uni;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A broker for one pod, in its memory.
 *
 * <p>Anybody can make room names up, so a name alone must not cost a room its messages: reading a
 * room in which nobody spoke makes no log, and over the ceiling the rooms that nobody ever read go
 * before those that somebody did.
 *
 * <p>One lock over everything: a publish is a few map and array operations, and holding the lock
 * while the listener is called is what keeps a room's messages in order.
 */
public final class MemoryBroker implements Broker {

    /** Rooms read before anybody spoke in them that are remembered; each is a name and an epoch. */
    private static final int MAX_SILENT = 10_000;

    private final HistoryConfig retention;
    private final long maxBytes;
    private final Clock clock;

    /** Rooms that somebody spoke in and read, in order of last use, least recent first. */
    private final Map<Room, MemoryLog> read = new LinkedHashMap<>(16, 0.75f, true);

    /** Rooms that somebody spoke in and nobody read, in the same order. */
    private final Map<Room, MemoryLog> unread = new LinkedHashMap<>(16, 0.75f, true);

    /** Epochs of rooms that were only read, so that their readers can resume; in the same order. */
    private final Map<Room, String> silent =
            new LinkedHashMap<>(16, 0.75f, true) {

                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<Room, String> eldest) {
                    return size() > MAX_SILENT;
                }
            };

    private long bytes;
    private @Nullable Listener listener;

    public MemoryBroker(HistoryConfig retention, long maxBytes, Clock clock) {
        this.retention = retention;
        this.maxBytes = maxBytes;
        this.clock = clock;
    }

    @Override
    public synchronized void listen(Listener listener) {
        this.listener = listener;
        listener.rejoined();
    }

    @Override
    public Uni<Receipt> publish(PublishRequest publication) {
        return Uni.createFrom().item(() -> append(publication));
    }

    @Override
    public Uni<Page> read(Room room, Range range) {
        return Uni.createFrom().item(() -> page(room, range));
    }

    @Override
    public Uni<Void> endEpoch(Room room, String epoch) {
        return Uni.createFrom().voidItem().invoke(() -> end(room, epoch));
    }

    @Override
    public BrokerState state() {
        return new BrokerState.Up();
    }

    private synchronized Receipt append(PublishRequest publication) {
        Room room = publication.message().room();
        MemoryLog log = log(room);
        long before = log.bytes();
        Receipt known = publication.key().map(log::receipt).orElse(null);
        if (known != null) {
            bytes += log.bytes() - before;
            return known;
        }
        StoredMessage stored = log.append(publication);
        bytes += log.bytes() - before;
        forgetOverCeiling(room);
        shorten(log);
        if (listener != null) {
            listener.received(stored);
        }
        return new Receipt(stored.id(), false);
    }

    private synchronized Page page(Room room, Range range) {
        MemoryLog spokenIn = unread.remove(room);
        if (spokenIn != null) {
            read.put(room, spokenIn);
        }
        MemoryLog log = read.get(room);
        if (log != null) {
            return log.page(range);
        }
        return new Page(silent.computeIfAbsent(room, any -> Epochs.next()), 1, 0, List.of());
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

    /** The room's log, made for its first message: those who wait for that have read the room. */
    private MemoryLog log(Room room) {
        MemoryLog known = known(room);
        if (known != null) {
            return known;
        }
        String epoch = silent.remove(room);
        var created = new MemoryLog(epoch == null ? Epochs.next() : epoch, retention, clock);
        (epoch == null ? unread : read).put(room, created);
        bytes += created.bytes();
        return created;
    }

    private void forgetOverCeiling(Room kept) {
        forgetOverCeiling(unread, kept);
        forgetOverCeiling(read, kept);
    }

    private void forgetOverCeiling(Map<Room, MemoryLog> logs, Room kept) {
        var oldest = logs.entrySet().iterator();
        while (bytes > maxBytes && oldest.hasNext()) {
            var entry = oldest.next();
            if (!entry.getKey().equals(kept)) {
                bytes -= entry.getValue().bytes();
                oldest.remove();
            }
        }
    }

    /** One room alone may be over the ceiling too. */
    private void shorten(MemoryLog log) {
        long before = log.bytes();
        while (bytes - before + log.bytes() > maxBytes && log.dropOldest()) {
            // Its oldest messages go one by one.
        }
        bytes += log.bytes() - before;
    }
}
