package dev.parley.log;

import dev.parley.broker.Broker;
import dev.parley.broker.Lineage;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.message.EventId;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import dev.parley.retry.Backoff;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * A pod's copy of the end of a room's log, and how it is kept equal to the broker's.
 *
 * <pre>
 *              open()                  first comparison succeeded
 *   NEW ──────────────────▶ OPENING ──────────────────────────────▶ OPEN ──┐ compare() at any
 *    subscribe, wait for the  │                                      ▲      │ hint of a difference
 *    confirmation, compare    │ the broker did not answer            └──────┘
 *                             ▼
 *                          COULD NOT OPEN                 close(): from any state, for good
 * </pre>
 *
 * <p><b>Appending.</b> Messages normally arrive from the broker one after the other and are
 * appended. A message that skips offsets is kept aside as <em>early</em>, and the room is compared
 * with the broker.
 *
 * <p><b>Comparing.</b> In all other cases the replica asks the broker for what follows the head,
 * and appends it. That happens when the room opens, when an offset is missing, when delivery
 * started again, when a message of another epoch arrives, when a cursor knows of messages that the
 * replica lacks, and periodically without a hint (the audit).
 *
 * <p><b>Forks.</b> The broker may have lost messages that the replica has, in the same epoch: the
 * logs have <em>forked</em>. The replica notices it in two ways. It ends with 7, and after a
 * failover the broker's newest message is 5. Or it ends with 7, the room's keys were restored on a
 * running server from a copy that ended with 5, and 6', 7' and 8' were counted again. A question
 * therefore includes one message that the replica has already: "what follows 6" is answered with 7'
 * and 8', and 7' differs from 7. In both cases the epoch is ended, once for all pods, and the
 * replica starts over from what the broker has in the new epoch.
 *
 * <p><b>Epochs.</b> When another server takes over the count, the broker's log goes on in a new
 * epoch ({@link Lineage}). If the new lineage includes the replica's newest message, the replica
 * goes on in it; otherwise the replica starts over, and each cursor looks its position up in the
 * new log.
 *
 * <p><b>Resubscriptions.</b> After an interruption of delivery nothing is appended before a
 * comparison: the broker may have lost messages meanwhile, so a message with the next offset may
 * belong to another log. Interruptions are counted, because an answer that the broker gave before
 * the last interruption says nothing about messages that arrived after it.
 *
 * <p><b>Concurrency.</b> Any thread may call. One lock guards the state; {@link #log}, {@link
 * #resubscriptions} and the observers need none. The lock is never held while the broker, an
 * observer or a waiting caller is called: the memory broker calls {@link #onMessage} under a lock
 * of its own. At most one comparison runs at a time; a call of {@link #compare} meanwhile makes it
 * read once more.
 */
public final class RoomReplica implements Broker.Listener {

    private static final Logger LOG = Logger.getLogger(RoomReplica.class);

    /** Messages that a comparison asks for at a time. */
    private static final int PAGE = 512;

    private static final Duration MIN_RETRY = Duration.ofMillis(100);
    private static final Duration MAX_RETRY = Duration.ofSeconds(2);

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

    /** What became of a message that arrived from the broker. */
    enum Arrival {
        /** It was appended, and perhaps early ones after it. */
        APPENDED,
        /** Nothing changed: the replica has the message already, or is closed. */
        KNOWN,
        /** It was not appended: the replica has to be compared with the broker first. */
        OUT_OF_STEP
    }

    /**
     * What the broker is asked in a comparison.
     *
     * @param purpose what the answer is for
     * @param expected highest offset that the broker was known to have when the question was asked
     * @param resubscriptions how often delivery had started again by then
     * @param early how many early messages had ever been kept by then
     */
    record Question(Range range, Purpose purpose, long expected, int resubscriptions, long early) {}

    /** What a question is asked for. */
    enum Purpose {
        /** To start the replica over from the broker's newest messages. */
        START_OVER,
        /** To read what follows the head. */
        FOLLOW,
        /**
         * To read one message under whose id the replica has a message that differs from the one
         * that was announced.
         */
        VERIFY
    }

    /** What the broker's answer to a question leads to. */
    enum Outcome {
        /** The replica is equal to the broker's log. */
        EQUAL,
        /** More is to be read, so another question follows. */
        ASK_AGAIN,
        /** The logs have forked: the page's epoch has to be ended. */
        FORKED
    }

    private final Room room;
    private final Broker broker;
    private final FrameEncoder encoder;
    private final LogConfig config;
    private final RoomLog.Budget budget;
    private final LogMeters meters;
    private final LongSupplier nanoTime;
    private final CopyOnWriteArrayList<Observer> observers = new CopyOnWriteArrayList<>();
    private final CompletableFuture<Void> opened = new CompletableFuture<>();

    // What the replica has. Guarded by this; the volatile fields are written under the lock.

    private volatile @Nullable RoomLog log;
    private volatile boolean closed;

    /** How often delivery started again. */
    private volatile int resubscriptions;

    /** The value of {@link #resubscriptions} at the last comparison. */
    private int resubscriptionsAtComparison;

    /** Highest offset of a message that the broker is known to have. */
    private long expected;

    /** Whether the next question is for the broker's newest messages, which replace the log. */
    private boolean mustStartOver = true;

    /**
     * Offset at which a message was announced that differs from the one that the replica has; 0 if
     * there is none. The broker is asked which of the two it has, because any program that may
     * publish on the channel can make an announcement up.
     */
    private long suspect;

    private final EarlyMessages early = new EarlyMessages();

    // The comparison. Guarded by this, except confirmed.

    /** Whether {@link #open} was called. */
    private boolean opening;

    /** Whether the broker has confirmed that it delivers the room's messages. Set once. */
    private volatile boolean confirmed;

    /** Completes when the comparison that is under way is done; null if there is none. */
    private @Nullable CompletableFuture<Void> comparison;

    /** Whether another comparison was asked for since the one under way last read. */
    private boolean again;

    /**
     * Whether the last question was asked because the broker did not answer the one before, or did
     * not end an epoch.
     */
    private boolean askedAfterFailure;

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
        this.encoder = encoder;
        this.config = config;
        this.budget = budget;
        this.meters = meters;
        this.nanoTime = nanoTime;
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
        boolean first;
        synchronized (this) {
            first = !opening;
            opening = true;
        }
        if (first) {
            broker.subscribe(room, this)
                    .subscribe()
                    .with(done -> onConfirmed(), opened::completeExceptionally);
        }
        return opened;
    }

    /** Tells whether opening has failed, and this replica has to be replaced by a new one. */
    boolean couldNotOpen() {
        return opened.isCompletedExceptionally();
    }

    /**
     * Tells whether the room has been opened. A log that has been read is not enough: opening may
     * still fail at the comparison that follows, and then this replica is given up.
     */
    public boolean isOpen() {
        return opened.isDone() && !couldNotOpen();
    }

    /**
     * Returns the log. It is another object after the replica has started over.
     *
     * @throws IllegalStateException if the room is not open yet
     */
    public RoomLog log() {
        RoomLog current = log;
        if (current == null) {
            throw new IllegalStateException("not open: " + room);
        }
        return current;
    }

    /**
     * Returns how often delivery has started again. If the number grew between a question to the
     * broker and its answer, the answer may be from a log that the broker has lost since.
     */
    public int resubscriptions() {
        return resubscriptions;
    }

    /** Reads a page from the broker's log, for what is older than the ring. */
    public Uni<Page> read(Range range) {
        return broker.read(room, range);
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
        switch (accept(message)) {
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
    public void onResubscribed() {
        countResubscription();
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
        if (raiseExpected(newest)) {
            compare();
        }
    }

    /**
     * Compares the replica with the broker's log and makes it equal.
     *
     * @return completes when a comparison that began after this call is done; fails if a read
     *     failed and no call of this method came meanwhile, or if the read that was repeated for
     *     such a call failed too. An open room is then compared again in the background.
     */
    public CompletableFuture<Void> compare() {
        CompletableFuture<Void> started;
        synchronized (this) {
            if (comparison != null) {
                again = true;
                return comparison;
            }
            started = new CompletableFuture<>();
            comparison = started;
        }
        ask();
        return started;
    }

    /** Closes the replica: frees its memory, unsubscribes, and ignores what arrives later. */
    void close() {
        synchronized (this) {
            closed = true;
            mustStartOver = true;
            if (log != null) {
                log.clear();
            }
        }
        broker.unsubscribe(room, this);
    }

    // What the replica has.

    /** Appends a message from the broker if it is the next one. */
    synchronized Arrival accept(StoredMessage message) {
        if (closed) {
            return Arrival.KNOWN;
        }
        RoomLog current = log;
        if (current == null || mustStartOver || !message.id().epoch().equals(current.epoch())) {
            return Arrival.OUT_OF_STEP;
        }
        long offset = message.offset();
        if (offset <= current.head()) {
            return verify(current, message);
        }
        if (offset > current.head() + 1 || resubscriptionsAtComparison != resubscriptions) {
            early.keep(message, nanoTime.getAsLong());
            return Arrival.OUT_OF_STEP;
        }
        append(current, message, nanoTime.getAsLong());
        appendEarly(current);
        return Arrival.APPENDED;
    }

    /**
     * Handles a message whose offset is not above the head. Around a resubscription it is usually a
     * repeat. If it differs from the replica's message, or that one has left the ring, the broker
     * may have lost messages and count them again.
     */
    private Arrival verify(RoomLog current, StoredMessage message) {
        RoomLog.Frame ours = current.frame(message.offset());
        if (ours == null) {
            return Arrival.OUT_OF_STEP;
        }
        if (ours.message().equals(message)) {
            return Arrival.KNOWN;
        }
        suspect = message.offset();
        return Arrival.OUT_OF_STEP;
    }

    /**
     * Notes that the broker has a position.
     *
     * @return true if the replica lacks messages that the broker is known to have
     */
    synchronized boolean raiseExpected(EventId newest) {
        RoomLog current = log;
        if (current == null || !newest.epoch().equals(current.epoch())) {
            return false;
        }
        expected = Math.max(expected, newest.offset());
        return expected > current.head();
    }

    /** Counts an interruption of delivery, and drops early messages, which may be of a lost log. */
    synchronized void countResubscription() {
        resubscriptions++;
        early.clear();
    }

    /** Returns what to ask the broker now. */
    synchronized Question question() {
        RoomLog current = log;
        if (current == null || mustStartOver) {
            return question(Range.newest(config.messages()), Purpose.START_OVER);
        }
        if (suspect > 0) {
            return question(new Range.After(suspect - 1, 1), Purpose.VERIFY);
        }
        return question(follow(current), Purpose.FOLLOW);
    }

    /**
     * Returns what is asked to learn what follows the head. The head is read too, to see whether
     * both logs have the same message there.
     */
    private static Range follow(RoomLog current) {
        return new Range.After(Math.max(0, current.head() - 1), PAGE);
    }

    private Question question(Range range, Purpose purpose) {
        return new Question(range, purpose, expected, resubscriptions, early.count());
    }

    /** Updates the replica from the broker's answer. */
    synchronized Outcome answered(Page page, Question question) {
        if (closed) {
            return Outcome.EQUAL;
        }
        RoomLog current = log;
        if (current == null || question.purpose() == Purpose.START_OVER) {
            return settle(startOver(page), page, question);
        }
        if (page.oldest() > current.head() + 1 || !isContinuedBy(page, current)) {
            mustStartOver = true;
            return Outcome.ASK_AGAIN;
        }
        if (!page.epoch().equals(current.epoch())) {
            continueIn(page.lineage(), current);
        }
        if (isFork(current, page, question)) {
            return Outcome.FORKED;
        }
        if (question.purpose() == Purpose.VERIFY) {
            suspect = 0;
            return Outcome.ASK_AGAIN;
        }
        boolean isOvertaken = !question.range().equals(follow(current));
        if (!extend(current, page) && !isOvertaken) {
            LOG.warnf(
                    "room %s: messages after offset %d were deleted from the broker's log; clients"
                            + " that had not received them get a gap",
                    room, current.head());
            mustStartOver = true;
            return Outcome.ASK_AGAIN;
        }
        return settle(current, page, question);
    }

    /** Tells whether {@link #close} was called. */
    boolean isClosed() {
        return closed;
    }

    /**
     * Tells whether the broker's log is in the replica's epoch, or in one that follows it: another
     * server took over the count, and has everything that the replica has.
     */
    private static boolean isContinuedBy(Page page, RoomLog current) {
        return page.epoch().equals(current.epoch())
                || page.lineage().includes(current.idAt(current.head()), page.newest());
    }

    /** Continues in the epoch of another server. What was expected of the former one is dropped. */
    private void continueIn(Lineage next, RoomLog current) {
        current.continueIn(next);
        expected = current.head();
        early.clear();
    }

    /**
     * Appends early messages, if no interruption came after the question.
     *
     * @return that more is to be read, or that the log equals the broker's
     */
    private Outcome settle(RoomLog current, Page page, Question question) {
        resubscriptionsAtComparison = question.resubscriptions();
        // If an interruption came after the question, the answer says nothing about the early
        // messages, and another comparison follows.
        if (resubscriptionsAtComparison == resubscriptions) {
            early.dropUnconfirmed(page.newest(), question.early());
            appendEarly(current);
        }
        return expected > current.head() ? Outcome.ASK_AGAIN : Outcome.EQUAL;
    }

    /** Replaces the log by one of the page's messages. */
    private RoomLog startOver(Page page) {
        List<StoredMessage> newest = upToNewest(page);
        var fresh =
                new RoomLog(
                        page.lineage(),
                        page.newest() - newest.size(),
                        config.messages(),
                        config.bytes().asLongValue(),
                        budget,
                        maxAgeNanos(),
                        nanoTime);
        newest.forEach(message -> append(fresh, message, acceptedNanos(page, message)));
        if (log != null) {
            if (isLost(log, page)) {
                meters.historyLost(room);
            }
            log.clear();
        }
        early.clear();
        expected = page.newest();
        mustStartOver = false;
        suspect = 0;
        log = fresh;
        return fresh;
    }

    /** Tells whether the broker's log does not go on from the replica's newest message. */
    private static boolean isLost(RoomLog current, Page page) {
        return current.head() > 0
                && !page.lineage().includes(current.idAt(current.head()), page.newest());
    }

    /** Returns the page's messages after its last hole; none if the newest message is missing. */
    private static List<StoredMessage> upToNewest(Page page) {
        List<StoredMessage> all = page.messages();
        int first = all.size();
        while (first > 0 && all.get(first - 1).offset() == page.newest() - (all.size() - first)) {
            first--;
        }
        return all.subList(first, all.size());
    }

    /** Tells whether the broker lacks messages of the replica, or has others under their ids. */
    private boolean isFork(RoomLog current, Page page, Question question) {
        // The smaller of the two. If the epoch has changed since the question, expected was
        // lowered. If messages arrived since, it was raised, and the broker may have answered
        // before them.
        return page.newest() < Math.min(expected, question.expected())
                || page.messages().stream().anyMatch(message -> conflicts(current, message));
    }

    /** Tells whether the replica has another message under the same id. */
    private static boolean conflicts(RoomLog current, StoredMessage message) {
        RoomLog.Frame ours = current.frame(message.offset());
        return ours != null && !ours.message().equals(message);
    }

    /**
     * Appends what follows the head.
     *
     * @return false if the broker has later messages, and the page does not have the next one: it
     *     was deleted, or the page ends before it, because the head has moved since the question
     */
    private boolean extend(RoomLog current, Page page) {
        long before = current.head();
        expected = Math.max(expected, page.newest());
        if (page.newest() <= before) {
            return true;
        }
        for (StoredMessage message : page.messages()) {
            if (message.offset() == current.head() + 1) {
                append(current, message, acceptedNanos(page, message));
            }
        }
        if (current.head() == before) {
            return false;
        }
        meters.backfilled();
        return true;
    }

    /** Appends early messages for as long as the next one is there. */
    private void appendEarly(RoomLog current) {
        EarlyMessages.Early next = early.takeAfter(current.head());
        while (next != null) {
            append(current, next.message(), next.arrivedNanos());
            next = early.takeAfter(current.head());
        }
    }

    /**
     * Appends a message.
     *
     * @param acceptedNanos when the broker accepted it, in terms of this pod's {@link
     *     System#nanoTime}. For a message that has just arrived that is now, and not its {@code
     *     at}, which is by the broker's clock and may differ.
     */
    private void append(RoomLog current, StoredMessage message, long acceptedNanos) {
        current.append(new RoomLog.Frame(message, encoder, acceptedNanos));
        expected = Math.max(expected, message.offset());
    }

    /** Returns when the broker accepted a message that it has just returned. */
    private long acceptedNanos(Page page, StoredMessage message) {
        return nanoTime.getAsLong() - TimeUnit.MILLISECONDS.toNanos(page.age(message).toMillis());
    }

    private long maxAgeNanos() {
        return TimeUnit.MILLISECONDS.toNanos(broker.age(room).toMillis());
    }

    /** Frees the memory of messages that are older than the broker keeps them. */
    synchronized void dropTooOld() {
        if (log != null) {
            log.dropTooOld();
        }
    }

    // The comparison.

    private void onConfirmed() {
        confirmed = true;
        compare();
        if (closed) {
            // close() came before the confirmation, when unsubscribing may have had no effect.
            broker.unsubscribe(room, this);
        }
    }

    private void ask() {
        // Before question(): a call of compare() that comes between the two costs a redundant read,
        // never a missed one.
        synchronized (this) {
            again = false;
        }
        Question question = question();
        broker.read(room, question.range())
                .subscribe()
                .with(page -> onAnswer(page, question), this::onFailure);
    }

    private void onAnswer(Page page, Question question) {
        switch (answered(page, question)) {
            case ASK_AGAIN -> askAfterSuccess();
            case FORKED -> endEpoch(page.epoch());
            case EQUAL -> onEqual();
        }
        signal();
    }

    private void endEpoch(String epoch) {
        LOG.debugf("room %s: the broker's log is not the one that was delivered", room);
        broker.endEpoch(room, epoch).subscribe().with(ended -> askAfterSuccess(), this::onFailure);
    }

    private void askAfterSuccess() {
        synchronized (this) {
            askedAfterFailure = false;
        }
        ask();
    }

    /**
     * Ends the comparison, unless compare() was called since the last question: then asks again.
     */
    private void onEqual() {
        CompletableFuture<Void> done;
        synchronized (this) {
            askedAfterFailure = false;
            if (again && !closed) {
                done = null;
            } else {
                backoff.reset();
                done = endComparison();
            }
        }
        if (done == null) {
            ask();
        } else {
            opened.complete(null);
            done.complete(null);
        }
    }

    /**
     * Ends the comparison, unless compare() was called since the last question: then asks again,
     * since the broker may answer by now. It does so once only: in a room with many messages each
     * of them may call compare() while the broker does not answer, and nothing would ever end. A
     * room that was opening could not open; an open one tries again later.
     */
    private void onFailure(Throwable failure) {
        CompletableFuture<Void> done;
        synchronized (this) {
            askedAfterFailure = again && !closed && !askedAfterFailure;
            done = askedAfterFailure ? null : endComparison();
        }
        if (done == null) {
            ask();
            return;
        }
        done.completeExceptionally(failure);
        if (!opened.completeExceptionally(failure) && !couldNotOpen()) {
            LOG.debugf("room %s: not compared with the broker: %s", room, failure.getMessage());
            retryLater();
        }
    }

    private synchronized CompletableFuture<Void> endComparison() {
        CompletableFuture<Void> ended = comparison;
        comparison = null;
        return ended == null ? new CompletableFuture<>() : ended;
    }

    /** Schedules a comparison, unless one is scheduled already. */
    private void retryLater() {
        Duration pause;
        synchronized (this) {
            if (retryIsDue) {
                return;
            }
            retryIsDue = true;
            pause = backoff.next();
        }
        Uni.createFrom().voidItem().onItem().delayIt().by(pause).subscribe().with(then -> retry());
    }

    private void retry() {
        synchronized (this) {
            retryIsDue = false;
        }
        if (!closed) {
            compare();
        }
    }

    private void signal() {
        observers.forEach(Observer::onLogChanged);
    }

    /**
     * Messages that arrived before messages with lower offsets, or before a comparison that has to
     * come first. Guarded by the replica's lock.
     */
    private static final class EarlyMessages {

        /** Most messages to keep; further ones are read from the broker later. */
        private static final int MAX = 512;

        /** Most characters of their texts, for the same reason. */
        private static final int MAX_CHARACTERS = 1_000_000;

        /**
         * A message and its place in the order of arrival.
         *
         * @param number 0 for the first that was ever kept
         * @param arrivedNanos from {@link System#nanoTime}
         */
        private record Early(StoredMessage message, long number, long arrivedNanos) {}

        private final TreeMap<Long, Early> byOffset = new TreeMap<>();
        private long count;
        private int characters;

        /** Returns how many messages were ever kept. */
        long count() {
            return count;
        }

        /** Keeps a message, unless there are too many. */
        void keep(StoredMessage message, long nowNanos) {
            int more = characters(message);
            if (byOffset.size() < MAX && characters + more <= MAX_CHARACTERS) {
                characters += more;
                Early former =
                        byOffset.put(message.offset(), new Early(message, count++, nowNanos));
                if (former != null) {
                    characters -= characters(former.message());
                }
            }
        }

        /** Takes out the message that follows this offset, and drops those up to it. */
        @Nullable Early takeAfter(long offset) {
            while (!byOffset.isEmpty() && byOffset.firstKey() <= offset + 1) {
                Early first = byOffset.pollFirstEntry().getValue();
                characters -= characters(first.message());
                if (first.message().offset() == offset + 1) {
                    return first;
                }
            }
            return null;
        }

        /**
         * Drops messages that arrived before the broker was asked and that it does not have: they
         * were lost, or no Parley announced them.
         *
         * @param newest offset of the newest message that the broker has
         * @param asked how many messages had been kept when it was asked
         */
        void dropUnconfirmed(long newest, long asked) {
            byOffset.tailMap(newest, false).values().removeIf(early -> early.number() < asked);
            characters =
                    byOffset.values().stream().mapToInt(each -> characters(each.message())).sum();
        }

        void clear() {
            byOffset.clear();
            characters = 0;
        }

        private static int characters(StoredMessage message) {
            return message.message().text().length();
        }
    }
}
