package dev.parley.delivery;

import dev.parley.broker.Broker;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.message.EventId;
import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import io.smallrye.mutiny.Uni;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A room that has, or just had, readers on this pod: its log, and who is told when it changes.
 *
 * <p>Messages normally arrive one after the other and are appended. Everything else is settled by
 * one act, a <em>sync</em>: read from the broker what follows the head and append it. A sync is due
 * when the room opens, when an offset is missing, when delivery restarted, when another epoch shows
 * up, and now and then without a hint. What the broker's messages and answers mean for the log is
 * {@link LogCopy}'s to say; {@link RoomSync} carries a sync through.
 *
 * <p>May be used by any thread: it has no state of its own but the set of readers, which needs no
 * lock.
 */
final class LiveRoom {

    private final Room room;
    private final Broker broker;
    private final LogCopy copy;
    private final RoomSync sync;
    private final CopyOnWriteArrayList<Readers> readers = new CopyOnWriteArrayList<>();

    LiveRoom(
            Room room,
            Broker broker,
            FrameEncoder encoder,
            LogConfig config,
            LogBudget budget,
            HubMeters meters) {
        this.room = room;
        this.broker = broker;
        this.copy = new LogCopy(room, encoder, config, budget, meters);
        this.sync = new RoomSync(room, broker, copy, this::signal);
    }

    Room room() {
        return room;
    }

    /** Completes when the log is there; fails if the broker could not be read. */
    CompletableFuture<Void> open() {
        return sync.open();
    }

    boolean couldNotOpen() {
        return sync.couldNotOpen();
    }

    boolean isOpen() {
        return copy.log() != null;
    }

    /** The log, once open. Another object after the log was started anew. */
    RoomLog log() {
        RoomLog current = copy.log();
        if (current == null) {
            throw new IllegalStateException("not open: " + room);
        }
        return current;
    }

    /**
     * How often delivery restarted. What the broker answered before the last time may be from a log
     * that it has lost since.
     */
    int rejoins() {
        return copy.rejoins();
    }

    /** What the broker has of the room, for those whom the log does not reach back far enough. */
    Uni<Page> read(Range range) {
        return broker.read(room, range);
    }

    void join(Readers added) {
        readers.addIfAbsent(added);
    }

    void leave(Readers removed) {
        readers.remove(removed);
    }

    List<Readers> readers() {
        return readers;
    }

    /** A message arrived from the broker. */
    void received(StoredMessage message) {
        if (copy.accept(message)) {
            signal();
        } else {
            sync();
        }
    }

    /** The broker is known to have messages up to this position. */
    void expect(EventId newest) {
        if (!copy.expect(newest)) {
            sync();
        }
    }

    /** Delivery restarted: perhaps from a broker that lost messages. */
    void rejoined() {
        copy.rejoined();
        sync();
    }

    /**
     * Compares the log with the broker's and makes it equal.
     *
     * @return completes when a comparison that began after this call is done
     */
    CompletableFuture<Void> sync() {
        return sync.compare();
    }

    /** The room is dropped: its memory is given back. */
    void close() {
        copy.close();
    }

    private void signal() {
        readers.forEach(Readers::signal);
    }
}
