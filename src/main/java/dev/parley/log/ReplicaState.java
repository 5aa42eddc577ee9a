package dev.parley.log;

import dev.parley.broker.Lineage;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.message.EventId;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import java.time.Duration;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a pod knows of a room's log, and what follows from each message and each answer of the
 * broker. It decides, and {@link RoomReplica} acts: nothing here calls the broker or an observer,
 * or waits.
 *
 * <pre>
 *   what happened                input                 what it answers
 *   a message arrived            accept                Arrival: it was appended, or compare
 *   a cursor knows an id         raiseExpected         whether to compare
 *   delivery was interrupted     countInterruption     nothing: RoomReplica always compares
 *   the broker is to be asked    question              Question: what to ask, and what for
 *   the broker answered          answered              Outcome: equal, ask again, or end the epoch
 * </pre>
 *
 * <p><b>Appending.</b> Messages normally arrive from the broker one after the other and are
 * appended. A message that skips offsets is kept aside as <em>early</em>, and the room is compared
 * with the broker.
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
 * <p><b>Interruptions.</b> After an interruption of delivery nothing is appended before a
 * comparison: the broker may have lost messages meanwhile, so a message with the next offset may
 * belong to another log. Interruptions are counted, because an answer that the broker gave before
 * the last interruption says nothing about messages that arrived after it.
 *
 * <p><b>Concurrency.</b> Any thread may call. The object's own monitor guards the state, and is
 * held while the metrics are counted; {@link #log}, {@link #interruptions} and {@link #isClosed}
 * need no lock.
 */
final class ReplicaState {

    /** Messages that a comparison asks for at a time. */
    private static final int PAGE = 512;

    /** Longer than a message can be kept, and few enough nanoseconds to be counted. */
    private static final Duration OLDEST = Duration.ofDays(40_000);

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
     * @param interruptions how often delivery had been interrupted by then
     * @param early how many early messages had ever been kept by then
     */
    record Question(Range range, Purpose purpose, long expected, int interruptions, long early) {}

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
        /**
         * Messages after the head were deleted from the broker's log. The replica starts over, so
         * another question follows. The head stays where it is until that is answered.
         */
        MESSAGES_DELETED,
        /** The logs have forked: the page's epoch has to be ended. */
        FORKED
    }

    private final Room room;
    private final FrameEncoder encoder;
    private final LogConfig config;
    private final RoomLog.Budget budget;
    private final LogMeters meters;
    private final long maxAgeNanos;
    private final LongSupplier nanoTime;

    // Guarded by this; the volatile fields are written under the lock.

    private volatile @Nullable RoomLog log;
    private volatile boolean closed;

    /** How often delivery was interrupted, by {@link RoomReplica#onInterrupted}. */
    private volatile int interruptions;

    /** The value of {@link #interruptions} at the last comparison. */
    private int interruptionsAtComparison;

    /** Highest offset of which the broker is known to have the message. */
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

    /**
     * @param maxAge age up to which the broker keeps the room's messages
     * @param nanoTime as {@link System#nanoTime}
     */
    ReplicaState(
            Room room,
            FrameEncoder encoder,
            LogConfig config,
            RoomLog.Budget budget,
            LogMeters meters,
            Duration maxAge,
            LongSupplier nanoTime) {
        this.room = room;
        this.encoder = encoder;
        this.config = config;
        this.budget = budget;
        this.meters = meters;
        this.maxAgeNanos = TimeUnit.MILLISECONDS.toNanos(maxAge.toMillis());
        this.nanoTime = nanoTime;
    }

    /**
     * Returns the log. It is another object after the replica has started over.
     *
     * @throws IllegalStateException if the broker has not answered yet
     */
    RoomLog log() {
        RoomLog current = log;
        if (current == null) {
            throw new IllegalStateException("not open: " + room);
        }
        return current;
    }

    /** Returns how often delivery was interrupted. */
    int interruptions() {
        return interruptions;
    }

    /** Tells whether {@link #close} was called. */
    boolean isClosed() {
        return closed;
    }

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
        if (offset > current.head() + 1 || interruptionsAtComparison != interruptions) {
            early.keep(message, nanoTime.getAsLong());
            return Arrival.OUT_OF_STEP;
        }
        append(current, message, nanoTime.getAsLong());
        appendEarly(current);
        return Arrival.APPENDED;
    }

    /**
     * Handles a message whose offset is not above the head. Around an interruption it is usually a
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
    synchronized void countInterruption() {
        interruptions++;
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
        return new Question(range, purpose, expected, interruptions, early.count());
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
            mustStartOver = true;
            return Outcome.MESSAGES_DELETED;
        }
        return settle(current, page, question);
    }

    /** Frees the memory of messages that are older than the broker keeps them. */
    synchronized void dropTooOld() {
        if (log != null) {
            log.dropTooOld();
        }
    }

    /** Returns the memory that the log holds, in bytes. */
    synchronized long bytes() {
        return log == null ? 0 : log.bytes();
    }

    /** Drops the log's oldest frames while it holds more than this. */
    synchronized void shorten(long bytes) {
        if (log != null) {
            log.shorten(bytes);
        }
    }

    /** Frees the log's memory, and ignores what arrives later. */
    synchronized void close() {
        closed = true;
        mustStartOver = true;
        if (log != null) {
            log.clear();
        }
    }

    /**
     * Tells whether the broker's log is in the replica's epoch, or in one that follows it: another
     * server took over the count, and has everything that the replica has or waits for. A reader
     * may be beyond the head: at 16 after a gap, where 14 to 18 are still expected. If the server
     * has none of these and counts from 14 again, that reader would pass over its first three.
     */
    private boolean isContinuedBy(Page page, RoomLog current) {
        EventId newest = current.idAt(Math.max(expected, current.head()));
        return page.epoch().equals(current.epoch())
                || page.lineage().includes(newest, page.newest());
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
        interruptionsAtComparison = question.interruptions();
        // If an interruption came after the question, the answer says nothing about the early
        // messages, and another comparison follows.
        if (interruptionsAtComparison == interruptions) {
            early.dropUnconfirmed(page.newest(), question.early());
            appendEarly(current);
        }
        return expected > current.head() ? Outcome.ASK_AGAIN : Outcome.EQUAL;
    }

    /** Replaces the log by one of the page's messages. */
    private RoomLog startOver(Page page) {
        List<StoredMessage> newest = upToNewest(page);
        if (log != null) {
            if (isLost(log, page)) {
                meters.historyLost(room);
            }
            // Before the new log is filled: while the memory of all logs is used up, a log that
            // grows gives way, and this one would keep one frame, although the old one's memory is
            // free a moment later. A cursor that reads the old log meanwhile asks the broker.
            log.clear();
        }
        var fresh =
                new RoomLog(
                        page.lineage(),
                        page.newest() - newest.size(),
                        config.messages(),
                        config.bytes().asLongValue(),
                        budget,
                        maxAgeNanos,
                        nanoTime);
        newest.forEach(message -> append(fresh, message, acceptedNanos(page, message)));
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

    /**
     * Returns when the broker accepted a message that it has just returned; at most {@link #OLDEST}
     * ago, since another program may have written any time.
     */
    private long acceptedNanos(Page page, StoredMessage message) {
        Duration age = page.age(message);
        return nanoTime.getAsLong() - (age.compareTo(OLDEST) < 0 ? age : OLDEST).toNanos();
    }

    /**
     * Messages that arrived before messages with lower offsets, or before a comparison that has to
     * come first. Guarded by the state's lock.
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
