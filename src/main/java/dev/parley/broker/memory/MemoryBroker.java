package dev.parley.broker.memory;

import dev.parley.broker.Broker;
import dev.parley.broker.BrokerState;
import dev.parley.broker.Page;
import dev.parley.broker.Publication;
import dev.parley.broker.Range;
import dev.parley.broker.Receipt;
import dev.parley.broker.Retention;
import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import io.smallrye.mutiny.Uni;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A broker for one pod, in its memory.
 *
 * <p>One lock over everything: a publish is a few map and array operations, and holding the lock
 * while the listener is called is what keeps a room's messages in order.
 */
public final class MemoryBroker implements Broker {

    private final Retention retention;
    private final long maxBytes;
    private final Clock clock;

    /** In order of last use, least recent first. */
    private final Map<Room, MemoryLog> logs = new LinkedHashMap<>(16, 0.75f, true);

    private long bytes;
    private @Nullable Listener listener;

    public MemoryBroker(Retention retention, long maxBytes, Clock clock) {
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
    public Uni<Receipt> publish(Publication publication) {
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

    private synchronized Receipt append(Publication publication) {
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
        return log(room).page(range);
    }

    private synchronized void end(Room room, String epoch) {
        MemoryLog log = logs.get(room);
        if (log != null && log.epoch().equals(epoch)) {
            log.endEpoch();
        }
    }

    private MemoryLog log(Room room) {
        MemoryLog known = logs.get(room);
        if (known != null) {
            return known;
        }
        var created = new MemoryLog(retention, clock);
        logs.put(room, created);
        bytes += created.bytes();
        forgetOverCeiling(room);
        return created;
    }

    private void forgetOverCeiling(Room kept) {
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
