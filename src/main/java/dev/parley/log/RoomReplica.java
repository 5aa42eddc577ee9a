package dev.parley.log;

import dev.parley.broker.Broker;
import dev.parley.broker.HistoryBounds;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.broker.ReadTurns;
import dev.parley.log.ReplicaState.Outcome;
import dev.parley.log.ReplicaState.Question;
import dev.parley.message.EventId;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import dev.parley.retry.Backoff;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * A pod's copy of the end of a room's log, and how it is kept equal to the broker's. {@link
 * ReplicaState} has the copy and decides; this class subscribes, asks the broker, and calls the
 * observers.
 *
 * <pre>
 *              open()                  first comparison succeeded
 *   NEW ──────────────────▶ OPENING ──────────────────────────────▶ OPEN ──┐ compare() at any
 *    subscribe, wait for the  │                                      ▲      │ hint of a difference
 *    confirmation, compare    │ the broker did not answer            └──────┘
 *                             ▼
 *                          COULD_NOT_OPEN          close(): in any phase, for good
 * </pre>
 *
 * <p><b>Comparing.</b> Messages normally arrive from the broker one after the other and are
 * appended. In all other cases the replica asks the broker for what follows the head, and appends
 * it. That happens when the room opens, when an offset is missing, when delivery started again,
 * when a message of another epoch arrives, when a cursor knows of messages that the replica lacks,
 * and periodically without a hint (the audit). A comparison asks until the logs are equal:
 *
 * <pre>
 *   compare() ──▶ ask ──▶ answered ──▶ EQUAL, and compare() was not called meanwhile: done
 *                  ▲          ├─────── EQUAL, and compare() was called ──┐
 *                  │          ├─────── ASK_AGAIN, MESSAGES_DELETED ──────┤
 *                  │          └─────── FORKED: end the epoch ────────────┤
 *                  └─────────────────────────────────────────────────────┘
 * </pre>
 *
 * <p>If the broker does not answer, or cannot end the epoch, the comparison fails; if compare() was
 * called meanwhile, it asks once more before that. A comparison of an open room that failed is
 * repeated after a pause.
 *
 * <p><b>Concurrency.</b> Any thread may call. One lock, the monitor of the {@link ReplicaState},
 * guards the state and the fields of this class; {@link #log}, {@link #interruptions}, the phase
 * and the observers need none. The lock is never held while the broker, an observer or a waiting
 * caller is called: the memory broker calls {@link #onMessage} under a lock of its own. At most one
 * comparison runs at a time; a call of {@link #compare} meanwhile makes it read once more.
 */
public final class RoomReplica implements Broker.Listener {

    private static final Logger LOG = Logger.getLogger(RoomReplica.class);

    private static final Duration MIN_RETRY = Duration.ofMillis(100);
    private static final Duration MAX_RETRY = Duration.ofSeconds(2);

    /** Reads beyond pages of expired messages that run at a time at most. */
    static final int MAX_BEYOND_EXPIRED = 4;

    /** Receives what happens in a room. Called on any thread. */
    public interface Observer {

        /**
         * Called when frames were added to the log, when it was replaced by a new one, and after
         * each answer of the broker.
         */
        void onLogChanged();

        /** Called when a program other than Parley published a text, which is not stored. */
        void onPlainText(String text);
    }

    /** How far the opening of the room has come. */
    private enum Phase {
        /** {@link #open} was not called yet. */
        NEW,
        /** Waits for the confirmation of the subscription, and then for the first comparison. */
        OPENING,
        /** The first comparison has succeeded. */
        OPEN,
        /** The broker did not answer, and this replica has to be replaced by a new one. */
        COULD_NOT_OPEN
    }

    /** A comparison that is under way. Guarded by the lock, except {@link #done}. */
    private static final class Comparison {

        /** Completes when the comparison is done. */
        private final CompletableFuture<Void> done = new CompletableFuture<>();

        /** Whether another comparison was asked for since this one last read. */
        private boolean again;

        /**
         * Whether the last question was asked because the broker did not answer the one before, or
         * did not end an epoch.
         */
        private boolean askedAfterFailure;
    }

    private final Room room;
    private final Broker broker;
    private final HistoryBounds bounds;
    private final CopyOnWriteArrayList<Observer> observers = new CopyOnWriteArrayList<>();
    private final CompletableFuture<Void> opened = new CompletableFuture<>();

    /** What the replica has. Its monitor is the lock. */
    private final ReplicaState state;

    /** The reads beyond pages of expired messages. */
    private final ReadTurns turns = new ReadTurns(MAX_BEYOND_EXPIRED);

    private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.NEW);

    /** Whether the broker has confirmed that it delivers the room's messages. Set once. */
    private volatile boolean confirmed;

    // Guarded by the lock.

    /** The comparison that is under way; null if there is none. */
    private @Nullable Comparison comparison;

    private final Backoff backoff = new Backoff(MIN_RETRY, MAX_RETRY);
    private boolean retryIsDue;

    RoomReplica(
            Room room,
            Broker broker,
            FrameEncoder encoder,
            LogConfig config,
            RoomLog.Budget budget,
            LogMeters meters,
            LongSupplier nanoTime) {
        this.room = room;
        this.broker = broker;
        this.bounds = broker.bounds(room);
        this.state =
                new ReplicaState(room, encoder, config, budget, meters, bounds.age(), nanoTime);
    }

    /** Returns the room. */
    public Room room() {
        return room;
    }

    /**
     * Opens the room: subscribes, waits for the broker's confirmation, then reads. No message is
     * missed: one from before the confirmation is read, a later one is received.
     *
     * @return completes when the log is there; fails if the broker did not answer, and then this
     *     replica can never be opened
     */
    public CompletableFuture<Void> open() {
        if (phase.compareAndSet(Phase.NEW, Phase.OPENING)) {
            broker.subscribe(room, this).subscribe().with(done -> onConfirmed(), this::failOpening);
        }
        return opened;
    }

    /** Tells whether opening has failed, and this replica has to be replaced by a new one. */
    boolean couldNotOpen() {
        return phase.get() == Phase.COULD_NOT_OPEN;
    }

    /**
     * Tells whether the room has been opened. A log that has been read is not enough: opening may
     * still fail at the comparison that follows, and then this replica is given up.
     */
    public boolean isOpen() {
        return phase.get() == Phase.OPEN;
    }

    /**
     * Returns the log. It is another object after the replica has started over.
     *
     * @throws IllegalStateException if the room is not open yet
     */
    public RoomLog log() {
        return state.log();
    }

    /**
     * Returns how often delivery was interrupted. If the number grew between a question to the
     * broker and its answer, the answer may be from a log that the broker has lost since.
     */
    public int interruptions() {
        return state.interruptions();
    }

    /**
     * Tells whether the newest messages of the log are all within the number and the bytes that the
     * broker keeps. The ring holds more than that where the room's history is a short one. The
     * bytes are those of the whole log, by an estimate that is not too low; so the answer may be no
     * although the broker has the messages.
     *
     * @param count how many of the newest messages
     */
    public boolean isSureToBeRetained(long count) {
        return count <= bounds.size() && bytes() <= bounds.bytes();
    }

    /** Reads a page from the broker's log, for what is older than the ring. */
    public Uni<Page> read(Range range) {
        return broker.read(room, range);
    }

    /**
     * Reads a page from the broker's log for a cursor that is behind the ring, and notes in the log
     * which of its messages have expired.
     *
     * @param current the log in which the cursor is
     * @return the page; empty if it was not read, because the first messages after the offset are
     *     known to have expired ({@link RoomLog#endOfExpired}), or, where the read had to wait, the
     *     room has changed since this call, so that the cursor could not use the page
     */
    public Uni<Optional<Page>> readBehindRing(RoomLog current, Range.After range) {
        int before = interruptions();
        return Uni.createFrom().deferred(() -> readUnlessUseless(current, range, before));
    }

    /**
     * Does the same as {@link #readBehindRing} when its turn comes, for a cursor of whose last page
     * most messages had expired. The connection does not hold back a cursor that steps over pages
     * without writing them: one client could have a whole history read, at once and for each of its
     * streams. So a few such reads run at a time in a room. A read that is cancelled while it waits
     * for its turn is never made.
     *
     * @param loop the cursor's event loop, which makes the read when it is its turn. The thread on
     *     which another read ends would otherwise make it: with the memory broker, whose reads end
     *     at once, one event loop would make the reads of all others, for as long as any wait, and
     *     serve none of its connections meanwhile
     */
    public Uni<Optional<Page>> readInTurn(RoomLog current, Range.After range, Executor loop) {
        return turns.run(readBehindRing(current, range).runSubscriptionOn(loop));
    }

    @SuppressWarnings("ReferenceEquality") // A log is equal to itself only.
    private Uni<Optional<Page>> readUnlessUseless(RoomLog current, Range.After range, int before) {
        if (log() != current
                || interruptions() != before
                || current.endOfExpired(range.offset()) > range.offset()) {
            return Uni.createFrom().item(Optional.empty());
        }
        return read(range)
                .invoke(
                        page -> {
                            if (interruptions() == before) {
                                noteExpired(current, range.offset(), page);
                            }
                        })
                .map(Optional::of);
    }

    /**
     * Notes the messages at the beginning of a page that have expired. Noted on the thread that
     * gives the answer, and not where the cursor takes it: other cursors at the same offset would
     * read the same page meanwhile, and so every further one. Not for a reader that has left before
     * its page has come, unless it read in turn.
     */
    @SuppressWarnings("ReferenceEquality") // A log is equal to itself only.
    private void noteExpired(RoomLog current, long after, Page page) {
        if (log() != current || !page.epoch().equals(current.epoch())) {
            return;
        }
        long last = after;
        for (StoredMessage message : page.messages()) {
            if (message.offset() != last + 1 || !page.isExpired(message)) {
                break;
            }
            last++;
        }
        current.noteExpired(after, Math.min(last, current.head()), page.oldest());
    }

    /** Adds an observer; does nothing if it was added before. */
    public void addObserver(Observer added) {
        observers.addIfAbsent(added);
    }

    /** Removes an observer; does nothing if it is not there. */
    public void removeObserver(Observer removed) {
        observers.remove(removed);
    }

    @Override
    public void onMessage(StoredMessage message) {
        if (!confirmed) {
            // The comparison that follows the confirmation reads this message.
            return;
        }
        switch (state.accept(message)) {
            case APPENDED -> signal();
            case KNOWN -> {}
            case OUT_OF_STEP -> compare();
        }
    }

    @Override
    public void onPlainText(String text) {
        if (!text.isEmpty()) {
            observers.forEach(observer -> observer.onPlainText(text));
        }
    }

    @Override
    public void onInterrupted() {
        state.countInterruption();
        if (confirmed) {
            compare();
        }
    }

    /**
     * Compares with the broker if the log lacks messages up to a position.
     *
     * @param newest a position that the broker is known to have
     */
    public void expect(EventId newest) {
        if (state.raiseExpected(newest)) {
            compare();
        }
    }

    /**
     * Compares the replica with the broker's log and makes it equal. {@link #open} must have been
     * called before.
     *
     * @return completes when a comparison that began after this call is done; fails if a read
     *     failed and no call of this method came meanwhile, or if the read that was repeated for
     *     such a call failed too. An open room is then compared again in the background.
     */
    public CompletableFuture<Void> compare() {
        Comparison started;
        synchronized (state) {
            if (comparison != null) {
                comparison.again = true;
                return comparison.done;
            }
            started = new Comparison();
            comparison = started;
        }
        ask(started);
        return started.done;
    }

    /** Closes the replica: frees its memory, unsubscribes, and ignores what arrives later. */
    void close() {
        state.close();
        broker.unsubscribe(room, this);
    }

    /** Tells whether {@link #close} was called. */
    boolean isClosed() {
        return state.isClosed();
    }

    /** Frees the memory of messages that are older than the broker keeps them. */
    void dropTooOld() {
        state.dropTooOld();
    }

    /** Returns the memory that the log holds, in bytes. */
    long bytes() {
        return state.bytes();
    }

    /** Drops the log's oldest frames while it holds more than this. */
    void shorten(long bytes) {
        state.shorten(bytes);
    }

    // Opening.

    private void onConfirmed() {
        confirmed = true;
        compare();
        if (isClosed()) {
            // close() came before the confirmation, when unsubscribing may have had no effect.
            broker.unsubscribe(room, this);
        }
    }

    /** Ends the opening with success, unless it has ended already. */
    private void finishOpening() {
        if (phase.compareAndSet(Phase.OPENING, Phase.OPEN)) {
            opened.complete(null);
        }
    }

    /** Ends the opening with a failure, unless it has ended already. */
    private void failOpening(Throwable failure) {
        if (phase.compareAndSet(Phase.OPENING, Phase.COULD_NOT_OPEN)) {
            opened.completeExceptionally(failure);
        }
    }

    // The comparison.

    private void ask(Comparison running) {
        // Before question(): a call of compare() that comes between the two costs a redundant read,
        // never a missed one.
        synchronized (state) {
            running.again = false;
        }
        Question question = state.question();
        broker.read(room, question.range())
                .subscribe()
                .with(
                        page -> onAnswer(running, page, question),
                        failure -> onFailure(running, failure));
    }

    private void onAnswer(Comparison running, Page page, Question question) {
        Outcome outcome;
        try {
            outcome = state.answered(page, question);
        } catch (RuntimeException e) {
            // A comparison that never ends would keep all later ones from beginning.
            LOG.errorf(
                    e,
                    "room %s: a page of the broker's log was not applied because of a defect in"
                            + " Parley; report it with this stack trace",
                    room);
            onFailure(running, e);
            return;
        }
        switch (outcome) {
            case ASK_AGAIN -> askAfterSuccess(running);
            case MESSAGES_DELETED -> {
                LOG.warnf(
                        "room %s: messages after offset %d were deleted from the broker's log;"
                                + " clients that had not received them get a gap",
                        room, log().head());
                askAfterSuccess(running);
            }
            case FORKED -> endEpoch(running, page.epoch());
            case EQUAL -> onEqual(running);
        }
        signal();
    }

    private void endEpoch(Comparison running, String epoch) {
        LOG.debugf("room %s: the broker's log is not the one that was delivered", room);
        broker.endEpoch(room, epoch)
                .subscribe()
                .with(ended -> askAfterSuccess(running), failure -> onFailure(running, failure));
    }

    private void askAfterSuccess(Comparison running) {
        synchronized (state) {
            running.askedAfterFailure = false;
        }
        ask(running);
    }

    /**
     * Ends the comparison, unless compare() was called since the last question: then asks again.
     */
    private void onEqual(Comparison running) {
        boolean asksAgain;
        synchronized (state) {
            running.askedAfterFailure = false;
            asksAgain = running.again && !isClosed();
            if (!asksAgain) {
                backoff.reset();
                comparison = null;
            }
        }
        if (asksAgain) {
            ask(running);
        } else {
            finishOpening();
            running.done.complete(null);
        }
    }

    /**
     * Ends the comparison, unless compare() was called since the last question: then asks again,
     * since the broker may answer by now. It does so once only: in a room with many messages each
     * of them may call compare() while the broker does not answer, and nothing would ever end. A
     * room that was opening could not open; an open one tries again later.
     */
    private void onFailure(Comparison running, Throwable failure) {
        boolean asksAgain;
        synchronized (state) {
            asksAgain = running.again && !isClosed() && !running.askedAfterFailure;
            running.askedAfterFailure = asksAgain;
            if (!asksAgain) {
                comparison = null;
            }
        }
        if (asksAgain) {
            ask(running);
            return;
        }
        running.done.completeExceptionally(failure);
        failOpening(failure);
        if (isOpen()) {
            LOG.debugf("room %s: not compared with the broker: %s", room, failure.getMessage());
            retryLater();
        }
    }

    /** Schedules a comparison, unless one is scheduled already. */
    private void retryLater() {
        Duration pause;
        synchronized (state) {
            if (retryIsDue) {
                return;
            }
            retryIsDue = true;
            pause = backoff.next();
        }
        Uni.createFrom().voidItem().onItem().delayIt().by(pause).subscribe().with(then -> retry());
    }

    private void retry() {
        synchronized (state) {
            retryIsDue = false;
        }
        if (!isClosed()) {
            compare();
        }
    }

    private void signal() {
        observers.forEach(Observer::onLogChanged);
    }
}
