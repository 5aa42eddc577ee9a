package dev.parley.delivery;

import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.delivery.SubscribeRequest.StartPosition;
import dev.parley.log.RoomLog;
import dev.parley.log.RoomReplica;
import dev.parley.message.EventId;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.Cancellable;
import java.io.ByteArrayOutputStream;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A stream's position in one room's log: the messages up to an offset have been written to the
 * stream, and the message after it is next.
 *
 * <pre>
 *   open()          a position was found                 behind the ring
 *   ──────▶ PLACING ─────────────────────▶ LIVE ◀──────────────────────▶ REPLAYING
 *              ▲                            │      a page was sent           │
 *              └── the log was started anew ┘                                │
 *              └──────────── the broker's log is another one ◀───────────────┘
 *
 *   PLACING ── the broker cannot answer, and the stream has other rooms ──▶ UNAVAILABLE
 *   UNAVAILABLE ── a second later ──▶ PLACING        any ── the stream ended ──▶ ENDED
 * </pre>
 *
 * <ul>
 *   <li><b>Placing</b> turns the start that the client asked for into an offset, and writes the
 *       position to the client. The pod's log answers if it reaches back far enough, otherwise the
 *       broker does. The broker's answer is used only if the room did not change meanwhile.
 *   <li><b>Live</b>: each round of delivery writes what lies between the offset and the head.
 *   <li><b>Replaying</b>: the offset has left the ring, so a page is read from the broker, written,
 *       and the cursor is live again. If it is still behind the ring, the next page follows.
 * </ul>
 *
 * <p>Lives on its stream's event loop. Each wait for an answer is a new state object; an answer is
 * dropped if the cursor is in another state by then.
 */
@SuppressWarnings("ReferenceEquality") // An answer belongs to the very state that asked for it.
final class Cursor {

    /**
     * Attempts to find a position while the room changes meanwhile. Then the room is unavailable,
     * and the stream is ended if all of its rooms are.
     */
    private static final int MAX_ATTEMPTS = 5;

    /** Messages that a replay asks the broker for at a time. */
    private static final int REPLAY_PAGE = 256;

    /** A batch of one short message, which most are; longer ones grow. */
    private static final int USUAL_BATCH_BYTES = 512;

    private sealed interface State {

        /** Not opened yet. */
        record New() implements State {}

        /**
         * The position is being looked up.
         *
         * @param attempt how often it has been looked up, this time included
         */
        record Placing(StartPosition start, int attempt) implements State {}

        /**
         * The broker cannot serve the room at present. It is tried again, because the stream reads
         * other rooms.
         *
         * @param sinceNanos when it failed, from {@link System#nanoTime}
         */
        record Unavailable(StartPosition start, long sinceNanos) implements State {}

        /** The cursor is at an offset of the room's log. */
        record Live() implements State {}

        /**
         * A page is being read from the broker.
         *
         * @param interruptions {@link RoomReplica#interruptions} when the page was asked for
         * @param end the head of the room's log then. Later messages of the page are not written.
         *     The broker may lose them again, and only a message that is in the room's log makes
         *     the room notice that, so this client would not receive a gap
         */
        record Replaying(int interruptions, long end) implements State {}

        /** The stream has ended. */
        record Ended() implements State {}
    }

    private static final State NEW = new State.New();
    private static final State LIVE = new State.Live();
    private static final State ENDED = new State.Ended();
    private static final Cancellable NO_READ = () -> {};

    private final Stream stream;
    private final StartPosition start;
    private RoomReplica replica;
    private State state = NEW;

    /** The read of the broker's log whose answer is waited for. */
    private Cancellable read = NO_READ;

    /** The log in which the cursor is; null before it is live for the first time. */
    private @Nullable RoomLog log;

    /** Offset of the last message that was written, or that the client had already. */
    private long offset;

    private int index;

    /**
     * Whether a message was written since the cursor began or wrote its last gap. If later ones are
     * trimmed then before they are written, the client was too slow.
     */
    private boolean hasWrittenSinceStart;

    /** Whether most messages of the page that was read last had expired. */
    private boolean isBeyondExpired;

    /** Whether the client has been given a position; used where the stream is of one room. */
    private boolean hasPosition;

    /**
     * Whether the broker could not serve the room when it was last asked for the position. It stays
     * so while the room is tried again, until the cursor is live.
     */
    private boolean isUnavailable;

    /**
     * @param start where to start when the cursor is opened
     */
    Cursor(Stream stream, RoomReplica replica, StartPosition start) {
        this.stream = stream;
        this.replica = replica;
        this.start = start;
    }

    /** Opens the room, unless it is open already, and starts. */
    void open() {
        open(start);
    }

    /**
     * Tries again to find the position, if the broker could not serve the room until now.
     *
     * @param beforeNanos a time of {@link System#nanoTime}; nothing happens if the last attempt
     *     failed after it
     */
    void retry(long beforeNanos) {
        if (state instanceof State.Unavailable unavailable
                && unavailable.sinceNanos() - beforeNanos <= 0) {
            stream.loop().remove(this, replica);
            replica = stream.exchange(replica);
            open(unavailable.start());
        }
    }

    private void open(StartPosition from) {
        var placing = new State.Placing(from, 1);
        become(placing);
        stream.loop().add(this, replica);
        if (stream.isOfOneRoom() && replica.isOpen()) {
            // The usual case: the position leaves together with the first bytes of the stream.
            place(placing);
            return;
        }
        whenDone(Uni.createFrom().completionStage(replica::open), placing, done -> place(placing));
    }

    /** Writes everything up to the head of the log, or as much as the connection takes. */
    void advance(DeliveryLoop.BatchCache batches) {
        RoomLog current = log;
        if (state != LIVE || current == null) {
            return;
        }
        if (batches.log() != current) {
            onLogStartedAnew(current.idAt(offset));
            return;
        }
        if (stream.isOfOneRoom()) {
            advanceByBatches(current, batches);
        } else {
            advanceInTurn(current, batches);
        }
    }

    /**
     * Writes batches, on a stream of this room alone. Those that other streams are sent too are in
     * memory once, unless the connection copies them; one that is made for this cursor, because it
     * is behind, counts for its client.
     */
    private void advanceByBatches(RoomLog current, DeliveryLoop.BatchCache batches) {
        while (offset < batches.head() && stream.isWritable()) {
            boolean isShared = offset >= batches.sharedFrom();
            if (!isShared && !stream.mayBeSentBacklog()) {
                return;
            }
            DeliveryLoop.BatchCache.Batch batch = batches.after(offset, stream.format());
            if (batch == null) {
                if (stream.mayBeSentBacklog()) {
                    replay(current);
                }
                return;
            }
            if (isShared && !stream.mayBeSentShared(batch.buffer())) {
                return;
            }
            offset = batch.last();
            if (batch.count() > 0) {
                hasWrittenSinceStart = true;
                if (isShared) {
                    stream.write(batch.buffer(), batches.nowNanos());
                } else {
                    stream.write(batch.buffer().bytes(), batches.nowNanos());
                }
                batches.delivered(batch);
            }
            if (batch.endsWithExpired()) {
                writePositionNow(current.idAt(offset));
            }
        }
    }

    /**
     * Writes one batch, and leaves the rest to {@link Stream#catchUp}. While the stream is catching
     * up, only that writes, so that its cursors take turns: a round that comes after each drain
     * could otherwise fill the connection with this cursor's messages every time.
     */
    private void advanceInTurn(RoomLog current, DeliveryLoop.BatchCache batches) {
        if (!stream.isCatchingUp()) {
            advanceByOneBatch(current, batches.head(), batches.nowNanos());
        }
        if (stream.isCatchingUp() || offset < batches.head()) {
            stream.catchUp();
        }
    }

    /** Advances outside a round of delivery, if the log has messages for this cursor. */
    void catchUp() {
        if (isBehind()) {
            advanceAlone();
        }
    }

    /**
     * Writes one batch, if the log has messages for this cursor; used where a stream has several.
     *
     * @return whether the cursor has moved
     */
    boolean catchUpByOneBatch() {
        RoomLog current = log;
        if (!isBehind() || current == null) {
            return false;
        }
        if (current != replica.log()) {
            onLogStartedAnew(current.idAt(offset));
            return false;
        }
        return advanceByOneBatch(current, current.head(), System.nanoTime());
    }

    /** Tells whether the log has messages for this cursor, or was started anew. */
    boolean isBehind() {
        return state == LIVE && log != null && (log != replica.log() || offset < log.head());
    }

    /**
     * Writes what follows the offset, up to the size of a batch, if the ring has it. Each message
     * has the stream's position as its id, so the bytes are for this stream alone; what precedes
     * the id was encoded for all of them. Messages that have expired are left out. Nothing is
     * written if that is more than the stream may be sent at present: it is behind then.
     *
     * @param nowNanos the time of the round of delivery
     * @return whether the cursor has moved
     */
    private boolean advanceByOneBatch(RoomLog current, long head, long nowNanos) {
        if (offset >= head || !stream.isWritable()) {
            return false;
        }
        var batch = new ByteArrayOutputStream(USUAL_BATCH_BYTES);
        long first = offset;
        int count = 0;
        boolean expired = false;
        while (offset < head && batch.size() < DeliveryLoop.BatchCache.MAX_BYTES) {
            RoomLog.Frame frame = current.frame(offset + 1);
            if (frame == null) {
                break;
            }
            expired = frame.isExpired(nowNanos);
            if (expired) {
                moveTo(offset + 1);
            } else {
                append(batch, frame.message().id(), frame.bytes(stream.format()));
                count++;
            }
        }
        if (offset == first) {
            stream.replayInTurn();
            return false;
        }
        if (!stream.mayBeSentLive(batch.size())) {
            moveTo(first);
            return false;
        }
        if (count > 0) {
            hasWrittenSinceStart = true;
            stream.write(batch.toByteArray(), nowNanos);
            stream.meters().delivered(count, batch.size());
        }
        if (expired) {
            writePositionNow(current.idAt(offset));
        }
        return true;
    }

    /**
     * Writes texts without an id, if the cursor is live and the connection accepts bytes, and these
     * may be in memory for it. Otherwise the client does not receive them.
     *
     * @param nowNanos the time of the round of delivery
     */
    void onPlain(DeliveryLoop.PlainBuffers plain, long nowNanos) {
        if (state == LIVE && stream.isWritable()) {
            Connection.SharedBuffer buffer = plain.buffer(stream.format(), stream.encoder());
            if (stream.mayBeSentShared(buffer)) {
                stream.write(buffer, nowNanos);
                stream.meters().delivered(plain.count(), buffer.bytes().length);
            }
        }
    }

    /** Leaves the group, and drops answers that come later. */
    void onStreamEnded() {
        boolean wasOpened = state != NEW;
        become(ENDED);
        if (wasOpened) {
            stream.loop().remove(this, replica);
        }
    }

    /**
     * Returns the position that is being looked up, as the client gave it. Empty if there is none,
     * or if the stream has several rooms: such a stream writes the client's position when it opens.
     */
    Optional<String> unansweredPosition() {
        return stream.isOfOneRoom() && state instanceof State.Placing placing
                ? placing.start().requested()
                : Optional.empty();
    }

    /**
     * Returns the position in the room as the ids of a stream of several rooms contain it; null if
     * the client has none in this room yet.
     */
    @Nullable String position() {
        if (state instanceof State.Placing placing) {
            return placing.start().inStreamPosition().orElse(null);
        }
        if (state instanceof State.Unavailable unavailable) {
            return unavailable.start().inStreamPosition().orElse(null);
        }
        RoomLog current = log;
        return current == null
                ? start.inStreamPosition().orElse(null)
                : current.idAt(offset).toString();
    }

    /** Tells whether the position is being looked up. */
    boolean isPlacing() {
        return state instanceof State.Placing;
    }

    /**
     * Tells whether the broker could not serve the room, and it is to be tried again, or is being
     * tried again now.
     */
    boolean isUnavailable() {
        return isUnavailable;
    }

    Stream stream() {
        return stream;
    }

    RoomReplica replica() {
        return replica;
    }

    Room room() {
        return replica.room();
    }

    /** Returns its index in the group's list of cursors. */
    int index() {
        return index;
    }

    void index(int index) {
        this.index = index;
    }

    /**
     * Changes the state, and cancels a read that was waited for. It may not have begun yet: clients
     * that come, ask for old messages and leave, again and again, would otherwise queue more and
     * more reads, each of which holds an ended stream in memory, and is made before those of the
     * clients that are still there.
     */
    private void become(State next) {
        state = next;
        read.cancel();
        read = NO_READ;
        stream.onMoved();
    }

    private void moveTo(long next) {
        offset = next;
        stream.onMoved();
    }

    // Placing.

    /** Finds the offset of the start. The room must be open. */
    private void place(State.Placing placing) {
        RoomLog current = replica.log();
        StartPosition start = placing.start();
        if (start instanceof StartPosition.Tail) {
            begin(current, current.head());
        } else if (start instanceof StartPosition.Newest newest) {
            placeAtNewest(placing, current, newest);
        } else if (start instanceof StartPosition.After after) {
            placeAfter(placing, current, after.position());
        } else if (start instanceof StartPosition.Unknown unknown) {
            lookUp(placing, 0, page -> beginAfterGap(current, unknown.written(), page));
        }
    }

    /**
     * Begins before the newest messages that are retained. The ring may hold more than the broker
     * keeps of the room; then the broker says which message is the oldest, so that the client gets
     * the same messages at each pod, and as the room's history. If that one is beyond the head, it
     * begins at the head, as a client without a position does: what lies between is on its way.
     */
    private void placeAtNewest(
            State.Placing placing, RoomLog current, StartPosition.Newest newest) {
        long from = Math.max(0, current.head() - newest.count());
        if (current.reaches(from) && replica.isSureToBeRetained(current.head() - from)) {
            begin(current, from);
        } else {
            lookUp(
                    placing,
                    from,
                    page ->
                            begin(
                                    current,
                                    Math.min(current.head(), Math.max(from, page.oldest() - 1))));
        }
    }

    /** Continues after a position, or writes a gap. */
    private void placeAfter(State.Placing placing, RoomLog current, EventId position) {
        if (current.covers(position)) {
            resume(current, position, current.head());
        } else if (placing.attempt() == 1 && isAhead(current, position)) {
            // Another pod may have written messages that this one has not received yet.
            compareThenPlace(placing);
        } else {
            lookUp(placing, position.offset(), page -> resumeOrGap(current, position, page));
        }
    }

    /**
     * Continues in the log that replaced the cursor's log while it was live. If the new log
     * continues from the cursor's position, nothing is written except the messages that follow;
     * otherwise the client receives a gap. If the room changes again meanwhile, the position is
     * looked up as for a client that comes back.
     */
    private void onLogStartedAnew(EventId position) {
        var placing = new State.Placing(new StartPosition.After(position), 1);
        become(placing);
        RoomLog current = replica.log();
        if (current.covers(position)) {
            goLive(current, position.offset());
        } else {
            lookUp(
                    placing,
                    position.offset(),
                    page -> {
                        if (page.continues(position)) {
                            goLive(current, position.offset());
                        } else {
                            beginAfterGap(current, position.toString(), page);
                        }
                    });
        }
    }

    /** Compares the room with the broker, then looks the position up again, up to a few times. */
    private void compareThenPlace(State.Placing placing) {
        if (placing.attempt() == MAX_ATTEMPTS) {
            onUnavailable(placing.start());
            return;
        }
        var next = new State.Placing(placing.start(), placing.attempt() + 1);
        become(next);
        whenDone(Uni.createFrom().completionStage(replica::compare), next, done -> place(next));
    }

    /**
     * Asks the broker about a position that the pod's log does not answer. The answer is used only
     * if the room's log is still the same, is in the page's epoch, and reaches what the broker
     * retains; otherwise the room is compared with the broker first.
     *
     * <p>In a busy room with a very short history, the log never reaches that, because all that it
     * had at the broker's answer is trimmed a moment later. So after one comparison it need not:
     * the cursor then waits for messages that have been announced, or that the next comparison
     * reads. A client that wants the newest messages needs none: a comparison of such a room starts
     * the log over, and all its readers would get a gap in the place of messages that are on their
     * way.
     *
     * @param after offset after which to read
     * @param decide places the cursor by the page
     */
    private void lookUp(State.Placing placing, long after, Consumer<Page> decide) {
        RoomLog current = replica.log();
        int interruptions = replica.interruptions();
        read =
                whenDone(
                        replica.read(new Range.After(after, 1)),
                        placing,
                        page -> {
                            if (replica.log() == current
                                    && replica.interruptions() == interruptions
                                    && page.epoch().equals(current.epoch())
                                    && (page.oldest() <= current.head() + 1
                                            || placing.attempt() > 1
                                            || placing.start() instanceof StartPosition.Newest)) {
                                decide.accept(page);
                            } else {
                                compareThenPlace(placing);
                            }
                        });
    }

    /** Resumes if everything after the position is retained; otherwise writes a gap. */
    private void resumeOrGap(RoomLog current, EventId position, Page page) {
        if (page.continues(position)) {
            replica.expect(page.tail());
            resume(current, position, page.newest());
        } else {
            beginAfterGap(current, position.toString(), page);
        }
    }

    /** Tells whether the position is after the newest message that the pod has received. */
    private static boolean isAhead(RoomLog current, EventId position) {
        return position.epoch().equals(current.epoch()) && position.offset() > current.head();
    }

    /** Ends the stream, or leaves the room out until a later attempt. */
    private void onUnavailable(StartPosition from) {
        isUnavailable = true;
        if (!stream.endIfNoneIsAvailable()) {
            become(new State.Unavailable(from, System.nanoTime()));
            stream.onNotPlacing();
        }
    }

    /** Writes the position, and goes live after it. */
    private void begin(RoomLog current, long from) {
        writeFirstPosition(current.idAt(from));
        goLive(current, from);
    }

    /**
     * Writes the position and {@code event: resumed}, and goes live.
     *
     * @param newest offset of the newest message, up to which messages count as replayed
     */
    private void resume(RoomLog current, EventId position, long newest) {
        long missed = newest - position.offset();
        stream.meters().resumed();
        writeFirstPosition(position);
        stream.write(stream.encoder().resumed(room(), position, missed));
        goLive(current, position.offset());
    }

    /**
     * Writes {@code event: gap} and the position before the oldest message, and goes live there.
     */
    private void beginAfterGap(RoomLog current, String requested, Page page) {
        long from = page.oldest() - 1;
        writeGap(page.lineage().idAt(from), gapBeforeOldest(requested, page));
        // What this client is given now begins with the oldest message. If that is trimmed before
        // it can be read, the client is not a slow one.
        hasWrittenSinceStart = false;
        replica.expect(page.tail());
        goLive(current, from);
    }

    /** Returns the gap of a client that receives everything that is retained. */
    private static Gap gapBeforeOldest(String requested, Page page) {
        Optional<EventId> oldest =
                page.oldest() > page.newest()
                        ? Optional.empty()
                        : Optional.of(page.lineage().idAt(page.oldest()));
        return new Gap(requested, oldest, page.tail());
    }

    /**
     * Writes a gap, and then the position after it. A client whose connection breaks in between
     * comes back with the position that it had before, and is given the gap again. If the new
     * position came first, that client would come back with it and never learn of the gap. The
     * client's position is therefore written first where the stream has not done so yet: per the
     * HTML standard, an event before the first id field resets the browser's last event id. A
     * stream of several rooms has done so when it was opened.
     */
    private void writeGap(EventId position, Gap gap) {
        stream.meters().gap();
        if (stream.isOfOneRoom() && !hasPosition) {
            stream.write(stream.encoder().position(room(), gap.requested()));
        }
        stream.write(stream.encoder().gap(room(), gap));
        writePositionNow(position);
    }

    /**
     * Writes the position where the cursor begins. On a stream of several rooms nothing is written
     * yet: the stream writes the positions in all of its rooms at once when it has them.
     */
    private void writeFirstPosition(EventId position) {
        if (stream.isOfOneRoom()) {
            writePositionNow(position);
        }
    }

    /**
     * Writes the position: after a gap, and after messages that have expired where no message
     * follows them in the same batch or page. Otherwise the client would keep the id of a message
     * before them. If that one is trimmed before the next message, a client that comes back would
     * receive a gap, though it has missed nothing that it could have been given.
     */
    private void writePositionNow(EventId position) {
        if (stream.isOfOneRoom()) {
            hasPosition = true;
            stream.write(stream.encoder().position(room(), position.toString()));
        } else {
            stream.writePosition(this, position);
        }
    }

    /**
     * Makes the cursor live, and writes what follows. Does nothing if the stream has ended, as it
     * does when a write before this call failed.
     *
     * @param from offset up to which the client has everything
     */
    private void goLive(RoomLog found, long from) {
        if (state == ENDED) {
            return;
        }
        boolean wasPlacing = isPlacing();
        isUnavailable = false;
        log = found;
        offset = from;
        become(LIVE);
        if (stream.isOfOneRoom()) {
            advanceAlone();
            return;
        }
        if (wasPlacing) {
            stream.onPlaced();
        }
        stream.catchUp();
    }

    /** Advances this cursor with batches that no other cursor uses. */
    private void advanceAlone() {
        RoomLog current = replica.log();
        try (var batches = new DeliveryLoop.BatchCache(current, stream.meters(), Long.MAX_VALUE)) {
            advance(batches);
        }
    }

    // Replaying.

    /**
     * Reads the next page from the broker, if the ring does not reach back to the offset. Steps
     * over messages first that are known to have expired.
     *
     * @return whether it reads
     */
    boolean replayIfBehindRing() {
        RoomLog current = log;
        if (state != LIVE || current == null || current != replica.log()) {
            return false;
        }
        if (isBehindRing(current)) {
            stepOverExpired(current);
        }
        if (state != LIVE || !isBehindRing(current)) {
            return false;
        }
        readPage(current);
        return true;
    }

    private boolean isBehindRing(RoomLog current) {
        return offset < current.head() && current.frame(offset + 1) == null;
    }

    /**
     * Continues behind the ring, on a stream of this room alone: steps over messages that are known
     * to have expired, or reads the next page from the broker.
     */
    private void replay(RoomLog current) {
        if (stepOverExpired(current)) {
            goLive(current, offset);
        } else {
            readPage(current);
        }
    }

    /**
     * Moves beyond messages that another cursor has found to have expired, and writes the position
     * there.
     *
     * @return whether it has moved
     */
    private boolean stepOverExpired(RoomLog current) {
        long last = current.endOfExpired(offset);
        if (last == offset) {
            return false;
        }
        moveTo(last);
        writePositionNow(current.idAt(last));
        return true;
    }

    private void readPage(RoomLog current) {
        var replaying = new State.Replaying(replica.interruptions(), current.head());
        become(replaying);
        var range = new Range.After(offset, REPLAY_PAGE);
        read =
                stream.whenDone(
                        isBeyondExpired
                                ? replica.readInTurn(current, range, stream.loop()::execute)
                                : replica.readBehindRing(current, range),
                        answer -> {
                            stream.onReplayAnswered();
                            if (state == replaying) {
                                answer.ifPresentOrElse(
                                        page -> onReplayPage(replaying, current, page),
                                        () -> goLive(current, offset));
                            }
                        },
                        () -> {
                            stream.onReplayAnswered();
                            onReplayFailed(replaying);
                        });
    }

    /** Makes the cursor live where it was. The next message or sweep starts another attempt. */
    private void onReplayFailed(State.Replaying replaying) {
        if (state == replaying) {
            become(LIVE);
        }
    }

    /** Writes a page that was read from the broker, unless the room has changed meanwhile. */
    private void onReplayPage(State.Replaying replaying, RoomLog current, Page page) {
        if (replica.log() != current || replica.interruptions() != replaying.interruptions()) {
            goLive(current, offset);
        } else if (!page.epoch().equals(current.epoch()) || page.newest() <= offset) {
            // The broker's log is another one, and the room has not noticed yet.
            var position = current.idAt(offset);
            compareThenPlace(new State.Placing(new StartPosition.After(position), 1));
        } else if (!stream.mayBeSentBacklog()) {
            // Many streams may have asked for a page before any of them got one. The page is read
            // again later.
            become(LIVE);
        } else if (page.oldest() > offset + 1 && hasWrittenSinceStart) {
            stream.end(DisconnectReason.SLOW_CONSUMER);
        } else {
            if (page.oldest() > offset + 1) {
                beginAtOldest(page);
            }
            writePage(page, replaying.end());
            goLive(current, offset);
        }
    }

    /**
     * Moves a cursor that has written no message yet to the oldest one: the message at which it was
     * to begin was trimmed before it could be read. The client was not slow, so it receives a gap
     * and is not disconnected.
     */
    private void beginAtOldest(Page page) {
        EventId position = replica.log().idAt(offset);
        moveTo(page.oldest() - 1);
        writeGap(page.lineage().idAt(offset), gapBeforeOldest(position.toString(), page));
        replica.expect(page.tail());
    }

    /**
     * Writes the messages of a page that follow the offset without a hole, except those that have
     * expired.
     *
     * @param end offset of the last message that may be written
     */
    private void writePage(Page page, long end) {
        var bytes = new ByteArrayOutputStream();
        long before = offset;
        int count = 0;
        boolean expired = false;
        for (StoredMessage message : page.messages()) {
            if (message.offset() == offset + 1 && offset < end) {
                expired = page.isExpired(message);
                if (expired) {
                    moveTo(offset + 1);
                } else {
                    append(bytes, message.id(), stream.encoder().encode(message, stream.format()));
                    count++;
                    hasWrittenSinceStart = true;
                }
            }
        }
        isBeyondExpired = 2 * count < page.messages().size();
        if (offset == before) {
            // beginAtOldest() may have written the gap already, and moved to the newest message
            // of the page, or beyond the last one that may be written.
            if (offset < Math.min(end, page.newest())) {
                skipDeleted(page);
            }
            return;
        }
        if (count > 0) {
            stream.write(bytes.toByteArray());
            stream.meters().delivered(count, bytes.size());
            stream.meters().replayed(count);
        }
        if (expired) {
            writePositionNow(replica.log().idAt(offset));
        }
    }

    /**
     * Moves to the next message, and adds it to a batch.
     *
     * @param encoded the message as other streams share it
     */
    private void append(ByteArrayOutputStream batch, EventId id, byte[] encoded) {
        offset++;
        if (stream.isOfOneRoom()) {
            batch.writeBytes(encoded);
        } else {
            stream.append(batch, this, id, encoded);
        }
    }

    /** Writes a gap where another program deleted messages from the middle of the broker's log. */
    private void skipDeleted(Page page) {
        Optional<EventId> next = page.messages().stream().findFirst().map(StoredMessage::id);
        var position = page.lineage().idAt(offset);
        moveTo(next.map(EventId::offset).orElse(page.newest() + 1) - 1);
        writeGap(page.lineage().idAt(offset), new Gap(position.toString(), next, page.tail()));
        replica.expect(page.tail());
    }

    /** Continues with the answer, unless the cursor is in another state by then. */
    private <T> Cancellable whenDone(Uni<T> answer, State.Placing waiting, Consumer<T> next) {
        return stream.whenDone(
                answer,
                item -> {
                    if (state == waiting) {
                        next.accept(item);
                    }
                },
                () -> {
                    if (state == waiting) {
                        onUnavailable(waiting.start());
                    }
                });
    }
}
