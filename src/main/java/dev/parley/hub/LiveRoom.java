package dev.parley.hub;

import dev.parley.broker.Broker;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.message.EventId;
import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * A room that has, or just had, readers on this pod. It keeps the {@link RoomLog} equal to the end
 * of the broker's log.
 *
 * <p>Messages normally arrive one after the other and are appended. Everything else is settled by
 * one act, a <em>sync</em>: read from the broker what follows the head and append it. A sync is due
 * when the room opens, when an offset is missing, when delivery restarted, when another epoch shows
 * up, and now and then without a hint. It compares the newest message that both sides have, so a
 * broker that lost messages and counted on is found out; then the log is started anew and every
 * reader is told. After a restart of delivery nothing is appended before that comparison: what
 * follows the newest message by number may follow another one in truth.
 *
 * <p>Guarded by its own lock, which is never held while the broker is called: the memory broker
 * calls back under a lock of its own.
 */
final class LiveRoom {

    private static final Logger LOG = Logger.getLogger(LiveRoom.class);

    /** Messages that a sync asks for at a time. */
    private static final int PAGE = 512;

    /** Messages that may wait for those before them; more are simply read again. */
    private static final int MAX_EARLY = 512;

    private static final Duration MIN_RETRY = Duration.ofMillis(100);
    private static final Duration MAX_RETRY = Duration.ofSeconds(2);

    private final Room room;
    private final Broker broker;
    private final FrameEncoder encoder;
    private final LogConfig config;
    private final LogBudget budget;
    private final HubMeters meters;
    private final CompletableFuture<Void> opened = new CompletableFuture<>();
    private final CopyOnWriteArrayList<Readers> readers = new CopyOnWriteArrayList<>();
    private final TreeMap<Long, StoredMessage> early = new TreeMap<>();

    private volatile @Nullable RoomLog log;
    private final AtomicBoolean opening = new AtomicBoolean();
    private volatile boolean closed;

    /** Highest offset that is known to exist in the log's epoch. */
    private long known;

    /** Whether the log is to be started anew from the broker's newest messages. */
    private boolean restart = true;

    /** Whether two messages with one id were seen. */
    private boolean forked;

    /** How often delivery restarted; written under the lock. */
    private volatile int rejoins;

    /** How often it had when the log was last compared with the broker's. */
    private int comparedRejoins;

    private @Nullable CompletableFuture<Void> sync;
    private boolean syncAgain;
    private int failures;
    private boolean retrying;

    LiveRoom(
            Room room,
            Broker broker,
            FrameEncoder encoder,
            LogConfig config,
            LogBudget budget,
            HubMeters meters) {
        this.room = room;
        this.broker = broker;
        this.encoder = encoder;
        this.config = config;
        this.budget = budget;
        this.meters = meters;
    }

    Room room() {
        return room;
    }

    /** Completes when the log is there; fails if the broker could not be read. */
    CompletableFuture<Void> open() {
        if (opening.compareAndSet(false, true)) {
            sync();
        }
        return opened;
    }

    boolean couldNotOpen() {
        return opened.isCompletedExceptionally();
    }

    /** The log, once open. Another object after the log was started anew. */
    RoomLog log() {
        RoomLog current = log;
        if (current == null) {
            throw new IllegalStateException("not open: " + room);
        }
        return current;
    }

    boolean isOpen() {
        return log != null;
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
        if (accept(message)) {
            signal();
        } else {
            sync();
        }
    }

    /** The broker is known to have messages up to this position. */
    void expect(EventId newest) {
        synchronized (this) {
            if (!newest.epoch().equals(log().epoch())) {
                return;
            }
            known = Math.max(known, newest.offset());
            if (known <= log().head()) {
                return;
            }
        }
        sync();
    }

    /**
     * How often delivery restarted. What the broker answered before the last time may be from a log
     * that it has lost since.
     */
    int rejoins() {
        return rejoins;
    }

    /** Delivery restarted: perhaps from a broker that lost messages. */
    void rejoined() {
        synchronized (this) {
            rejoins++;
            early.clear();
        }
        sync();
    }

    /**
     * Compares the log with the broker's and makes it equal.
     *
     * @return completes when a comparison that began after this call is done
     */
    CompletableFuture<Void> sync() {
        CompletableFuture<Void> started;
        synchronized (this) {
            if (sync != null) {
                syncAgain = true;
                return sync;
            }
            started = new CompletableFuture<>();
            sync = started;
        }
        read();
        return started;
    }

    /** The room is dropped: its memory is given back. */
    synchronized void close() {
        closed = true;
        if (log != null) {
            log.clear();
        }
        opened.completeExceptionally(new IllegalStateException("closed: " + room));
    }

    /**
     * @return false if a sync is due
     */
    private synchronized boolean accept(StoredMessage message) {
        RoomLog current = log;
        if (current == null || restart || !message.id().epoch().equals(current.epoch())) {
            return closed;
        }
        long offset = message.offset();
        known = Math.max(known, offset);
        if (offset <= current.head()) {
            forked |= conflicts(current, message);
            return !forked;
        }
        if (offset > current.head() + 1 || comparedRejoins != rejoins) {
            keepEarly(message);
            return false;
        }
        append(current, message);
        appendEarly(current);
        return true;
    }

    private void keepEarly(StoredMessage message) {
        if (early.size() < MAX_EARLY) {
            early.put(message.offset(), message);
        }
    }

    private void append(RoomLog current, StoredMessage message) {
        current.append(new Frame(message, encoder));
    }

    private void appendEarly(RoomLog current) {
        while (!early.isEmpty() && early.firstKey() <= current.head() + 1) {
            StoredMessage next = early.pollFirstEntry().getValue();
            if (next.offset() == current.head() + 1) {
                append(current, next);
            }
        }
    }

    /**
     * Whether the log has another message under the same id: the broker forgot and counted again.
     */
    private static boolean conflicts(RoomLog current, StoredMessage message) {
        Frame ours = current.frame(message.offset());
        return ours != null && !ours.message().equals(message);
    }

    private void read() {
        Known asked;
        Range range;
        synchronized (this) {
            syncAgain = false;
            RoomLog current = log;
            boolean anew = current == null || restart;
            long head = anew ? -1 : log().head();
            asked = new Known(anew ? -1 : known, rejoins);
            // One message that we have is read too: it shows whether both logs are the same.
            range =
                    anew
                            ? Range.newest(config.messages())
                            : new Range.After(Math.max(0, head - 1), PAGE);
        }
        broker.read(room, range).subscribe().with(page -> readDone(page, asked), this::readFailed);
    }

    /**
     * What was known when the broker was asked.
     *
     * @param offset that it had reached by then; negative if the log is to be started anew
     */
    private record Known(long offset, int rejoins) {}

    private void readDone(Page page, Known asked) {
        Outcome outcome;
        synchronized (this) {
            outcome = closed ? Outcome.DONE : compare(page, asked);
        }
        switch (outcome) {
            case AGAIN -> read();
            case FORKED -> endEpoch(page.epoch());
            case DONE -> syncDone();
        }
        signal();
    }

    private enum Outcome {
        DONE,
        AGAIN,
        FORKED
    }

    private Outcome compare(Page page, Known asked) {
        if (asked.offset() < 0) {
            startAnew(page);
            comparedRejoins = asked.rejoins();
            return moreIsKnown() ? Outcome.AGAIN : Outcome.DONE;
        }
        RoomLog current = log();
        if (!page.epoch().equals(current.epoch()) || page.oldest() > current.head() + 1) {
            restart = true;
            return Outcome.AGAIN;
        }
        if (forked
                || page.newest() < asked.offset()
                || page.messages().stream().anyMatch(m -> conflicts(current, m))) {
            return Outcome.FORKED;
        }
        boolean wasMissing = page.newest() > current.head();
        known = Math.max(known, page.newest());
        if (wasMissing && !backfill(current, page)) {
            LOG.warnf("room %s: messages after %d were deleted", room, current.head());
            restart = true;
            return Outcome.AGAIN;
        }
        comparedRejoins = asked.rejoins();
        // An answer from before a restart of delivery says nothing about what was heard since.
        if (comparedRejoins == rejoins) {
            appendEarly(current);
        }
        return moreIsKnown() ? Outcome.AGAIN : Outcome.DONE;
    }

    private boolean moreIsKnown() {
        return syncAgain || known > log().head();
    }

    private void startAnew(Page page) {
        List<StoredMessage> newest = upToNewest(page);
        var fresh =
                new RoomLog(
                        page.epoch(),
                        page.newest() - newest.size(),
                        config.messages(),
                        config.bytes().asLongValue(),
                        budget);
        newest.forEach(message -> fresh.append(new Frame(message, encoder)));
        Optional.ofNullable(log).ifPresent(RoomLog::clear);
        early.clear();
        known = page.newest();
        restart = false;
        forked = false;
        log = fresh;
    }

    /** The page's messages that lead to its newest without a hole. */
    private static List<StoredMessage> upToNewest(Page page) {
        List<StoredMessage> all = page.messages();
        int first = all.size();
        while (first > 0 && all.get(first - 1).offset() == page.newest() - (all.size() - first)) {
            first--;
        }
        return all.subList(first, all.size());
    }

    /**
     * @return false if the broker does not have the next message, but later ones
     */
    private boolean backfill(RoomLog current, Page page) {
        long before = current.head();
        for (StoredMessage message : page.messages()) {
            if (message.offset() == current.head() + 1) {
                append(current, message);
            }
        }
        boolean filled = current.head() > before;
        if (filled) {
            meters.backfilled();
        }
        return filled;
    }

    private void endEpoch(String epoch) {
        LOG.debugf("room %s: the broker's log is not the one that was delivered", room);
        broker.endEpoch(room, epoch).subscribe().with(done -> read(), this::readFailed);
    }

    private void syncDone() {
        CompletableFuture<Void> done;
        synchronized (this) {
            if (syncAgain && !closed) {
                done = null;
            } else {
                done = endSync();
                failures = 0;
            }
        }
        if (done == null) {
            read();
            return;
        }
        opened.complete(null);
        done.complete(null);
    }

    private void readFailed(Throwable failure) {
        CompletableFuture<Void> failed;
        synchronized (this) {
            failed = endSync();
        }
        failed.completeExceptionally(failure);
        if (!opened.completeExceptionally(failure) && !opened.isCompletedExceptionally()) {
            LOG.debugf("room %s: not compared with the broker: %s", room, failure.getMessage());
            retryLater();
        }
    }

    /** Once, however many attempts have failed meanwhile: each arriving message may make one. */
    private void retryLater() {
        Duration pause;
        synchronized (this) {
            if (retrying) {
                return;
            }
            retrying = true;
            pause = retryPause(failures++);
        }
        Uni.createFrom().voidItem().onItem().delayIt().by(pause).subscribe().with(then -> retry());
    }

    private CompletableFuture<Void> endSync() {
        CompletableFuture<Void> ended = sync;
        sync = null;
        return ended == null ? new CompletableFuture<>() : ended;
    }

    /** Doubles from the shortest to the longest pause, and spreads: a whole pod retries at once. */
    private static Duration retryPause(int failures) {
        long longest =
                Math.min(MAX_RETRY.toMillis(), MIN_RETRY.toMillis() << Math.min(failures, 10));
        return Duration.ofMillis(ThreadLocalRandom.current().nextLong(longest / 2, longest + 1));
    }

    private void retry() {
        synchronized (this) {
            retrying = false;
            if (closed) {
                return;
            }
        }
        sync();
    }

    private void signal() {
        readers.forEach(Readers::signal);
    }
}
