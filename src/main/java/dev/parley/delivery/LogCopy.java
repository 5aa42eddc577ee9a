package dev.parley.delivery;

import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.message.EventId;
import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import java.util.List;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The pod's copy of the end of a room's log in the broker: a {@link RoomLog}, and what is known
 * about how it compares with the original. It decides what is appended, when a comparison is due,
 * what to ask the broker then, and what the answer means; it calls nobody.
 *
 * <p>A comparison looks at the newest message that both sides have, so a broker that lost messages
 * and counted on is found out; then the log is started anew. After a restart of delivery nothing is
 * appended before a comparison: what follows the newest message by number may follow another one in
 * truth.
 *
 * <p>Guarded by its own lock; {@link #log}, {@link #rejoins} and {@link #isClosed} need none.
 */
final class LogCopy {

    private static final Logger LOG = Logger.getLogger(LogCopy.class);

    /** Messages that a comparison asks for at a time. */
    private static final int PAGE = 512;

    private final Room room;
    private final FrameEncoder encoder;
    private final LogConfig config;
    private final LogBudget budget;
    private final HubMeters meters;
    private final EarlyMessages early = new EarlyMessages();

    private volatile @Nullable RoomLog log;
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

    LogCopy(Room room, FrameEncoder encoder, LogConfig config, LogBudget budget, HubMeters meters) {
        this.room = room;
        this.encoder = encoder;
        this.config = config;
        this.budget = budget;
        this.meters = meters;
    }

    /**
     * What the broker is asked in a comparison.
     *
     * @param known offset that was known to exist by then; negative if the log is to be started
     *     anew
     * @param rejoins how often delivery had restarted by then
     */
    record Question(Range range, long known, int rejoins) {

        boolean anew() {
            return known < 0;
        }
    }

    /** What is to be done after an answer of the broker. */
    enum Outcome {
        /** Nothing: the copy is equal. */
        DONE,
        /** Another question: there is more to read. */
        AGAIN,
        /** The page's epoch has to end, and then another question. */
        FORKED
    }

    /** The log, once there is one. Another object after it was started anew. */
    @Nullable RoomLog log() {
        return log;
    }

    /**
     * How often delivery restarted. What the broker answered before the last time may be from a log
     * that it has lost since.
     */
    int rejoins() {
        return rejoins;
    }

    boolean isClosed() {
        return closed;
    }

    /**
     * A message arrived from the broker: it is appended if it is the next.
     *
     * @return false if a comparison is due
     */
    synchronized boolean accept(StoredMessage message) {
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
            early.keep(message);
            return false;
        }
        append(current, message);
        appendEarly(current);
        return true;
    }

    /**
     * The broker is known to have messages up to this position.
     *
     * @return false if a comparison is due
     */
    synchronized boolean expect(EventId newest) {
        RoomLog current = log;
        if (current == null || !newest.epoch().equals(current.epoch())) {
            return true;
        }
        known = Math.max(known, newest.offset());
        return known <= current.head();
    }

    /** Delivery restarted, perhaps from a broker that lost messages: a comparison is due. */
    synchronized void rejoined() {
        rejoins++;
        early.clear();
    }

    /** What to ask the broker now. */
    synchronized Question question() {
        RoomLog current = log;
        if (current == null || restart) {
            return new Question(Range.newest(config.messages()), -1, rejoins);
        }
        // One message that we have is read too: it shows whether both logs are the same.
        var range = new Range.After(Math.max(0, current.head() - 1), PAGE);
        return new Question(range, known, rejoins);
    }

    /** The broker answered. */
    synchronized Outcome answered(Page page, Question question) {
        if (closed) {
            return Outcome.DONE;
        }
        RoomLog current = log;
        if (current == null || question.anew()) {
            return compared(startAnew(page), question);
        }
        if (!page.epoch().equals(current.epoch()) || page.oldest() > current.head() + 1) {
            restart = true;
            return Outcome.AGAIN;
        }
        if (isFork(current, page, question)) {
            return Outcome.FORKED;
        }
        if (!extend(current, page)) {
            LOG.warnf("room %s: messages after %d were deleted", room, current.head());
            restart = true;
            return Outcome.AGAIN;
        }
        return compared(current, question);
    }

    /** Gives the memory back, and takes nothing any more. */
    synchronized void close() {
        closed = true;
        restart = true;
        if (log != null) {
            log.clear();
        }
    }

    private Outcome compared(RoomLog current, Question question) {
        comparedRejoins = question.rejoins();
        // An answer from before a restart of delivery says nothing about what was heard since.
        if (comparedRejoins == rejoins) {
            appendEarly(current);
        }
        return known > current.head() ? Outcome.AGAIN : Outcome.DONE;
    }

    private RoomLog startAnew(Page page) {
        List<StoredMessage> newest = upToNewest(page);
        var fresh =
                new RoomLog(
                        page.epoch(),
                        page.newest() - newest.size(),
                        config.messages(),
                        config.bytes().asLongValue(),
                        budget);
        newest.forEach(message -> append(fresh, message));
        if (log != null) {
            log.clear();
        }
        early.clear();
        known = page.newest();
        restart = false;
        forked = false;
        log = fresh;
        return fresh;
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

    /** Whether the broker's log is not the one that was delivered, though it has its epoch. */
    private boolean isFork(RoomLog current, Page page, Question question) {
        return forked
                || page.newest() < question.known()
                || page.messages().stream().anyMatch(message -> conflicts(current, message));
    }

    /**
     * Whether the log has another message under the same id: the broker forgot and counted again.
     */
    private static boolean conflicts(RoomLog current, StoredMessage message) {
        Frame ours = current.frame(message.offset());
        return ours != null && !ours.message().equals(message);
    }

    /**
     * Appends what follows the head.
     *
     * @return false if the broker does not have the next message, but later ones
     */
    private boolean extend(RoomLog current, Page page) {
        long before = current.head();
        known = Math.max(known, page.newest());
        if (page.newest() <= before) {
            return true;
        }
        for (StoredMessage message : page.messages()) {
            if (message.offset() == current.head() + 1) {
                append(current, message);
            }
        }
        if (current.head() == before) {
            return false;
        }
        meters.backfilled();
        return true;
    }

    private void appendEarly(RoomLog current) {
        StoredMessage next = early.takeAfter(current.head());
        while (next != null) {
            append(current, next);
            next = early.takeAfter(current.head());
        }
    }

    private void append(RoomLog current, StoredMessage message) {
        current.append(new Frame(message, encoder));
    }
}
