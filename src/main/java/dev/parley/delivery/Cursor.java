package dev.parley.delivery;

import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.log.RoomLog;
import dev.parley.log.RoomReplica;
import dev.parley.message.EventId;
import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import io.smallrye.mutiny.Uni;
import java.io.ByteArrayOutputStream;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A stream's position in one room: everything up to an offset of the room's log has been written to
 * the connection, and what follows is next.
 *
 * <pre>
 *   open()          a position was found                 behind the ring
 *   ──────▶ PLACING ─────────────────────▶ LIVE ◀──────────────────────▶ REPLAYING
 *              ▲                            │      a page was sent           │
 *              └── the log was started anew ┘                                │
 *              └──────────── the broker's log is another one ◀───────────────┘
 *                                                    any ── the stream ended ──▶ ENDED
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

    /** How often a position is looked up, because the room changed meanwhile, before giving up. */
    private static final int MAX_ATTEMPTS = 5;

    /** Messages that a replay asks the broker for at a time. */
    private static final int REPLAY_PAGE = 256;

    private sealed interface State {

        /** Not opened yet. */
        record New() implements State {}

        /**
         * The position is being looked up.
         *
         * @param attempt 1 for the first
         */
        record Placing(StartPosition start, int attempt) implements State {}

        /** The cursor is in the room's log. */
        record Live() implements State {}

        /**
         * A page is being read from the broker.
         *
         * @param resubscriptions of the room when the page was asked for
         * @param end the head of the room's log then. Later messages of the page are not written:
         *     the broker may lose them again, and the room could not notice that this cursor had
         *     them
         */
        record Replaying(int resubscriptions, long end) implements State {}

        /** The stream has ended. */
        record Ended() implements State {}
    }

    private static final State NEW = new State.New();
    private static final State LIVE = new State.Live();
    private static final State ENDED = new State.Ended();

    private final Stream stream;
    private final RoomReplica room;
    private State state = NEW;
    private @Nullable RoomLog log;
    private long offset;
    private int index;

    /** Whether a message was written since the reader was placed. */
    private boolean handed;

    Cursor(Stream stream, RoomReplica room) {
        this.stream = stream;
        this.room = room;
    }

    /** Opens the room, unless it is open already, and starts at this position. */
    void open(StartPosition start) {
        var placing = new State.Placing(start, 1);
        state = placing;
        stream.loop().add(this, room);
        whenDone(Uni.createFrom().completionStage(room::open), placing, done -> place(placing));
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
        while (offset < batches.head() && stream.isWritable()) {
            DeliveryLoop.BatchCache.Batch batch = batches.after(offset, stream.format());
            if (batch == null) {
                replay(current);
                return;
            }
            // Set before the write, because a write can drain the connection and call this again.
            offset = batch.last();
            handed = true;
            stream.write(batch.buffer(), batches.nowNanos());
            batches.delivered(batch);
        }
    }

    /** Advances outside of a round of delivery, if the log has messages for this cursor. */
    void catchUp() {
        if (state == LIVE && log != null && (log != room.log() || offset < log.head())) {
            advanceAlone();
        }
    }

    /**
     * Writes a text without a position, unless the cursor is not live or the connection is stuck.
     */
    void onPlain(DeliveryLoop.PlainBuffers plain) {
        if (state == LIVE && stream.isWritable()) {
            byte[] bytes = plain.bytes(stream.format(), stream.encoder());
            stream.write(bytes);
            stream.meters().delivered(1, bytes.length);
        }
    }

    void onStreamEnded() {
        state = ENDED;
        stream.loop().remove(this, room);
    }

    /** Returns the position that the client asked to continue from, while it is being looked up. */
    Optional<String> unansweredPosition() {
        return state instanceof State.Placing placing
                ? placing.start().requested()
                : Optional.empty();
    }

    Stream stream() {
        return stream;
    }

    Room room() {
        return room.room();
    }

    /** Returns its index in the group's list of cursors. */
    int index() {
        return index;
    }

    void index(int index) {
        this.index = index;
    }

    // Placing.

    /** Finds the offset of the start. The room must be open. */
    private void place(State.Placing placing) {
        RoomLog current = room.log();
        StartPosition start = placing.start();
        if (start instanceof StartPosition.Tail) {
            begin(current, current.head());
        } else if (start instanceof StartPosition.Newest newest) {
            placeAtNewest(placing, current, newest);
        } else if (start instanceof StartPosition.After after) {
            placeAfter(placing, current, after.position());
        } else if (start instanceof StartPosition.Unknown unknown) {
            lookUp(placing, 0, page -> gap(current, unknown.written(), page));
        }
    }

    private void placeAtNewest(
            State.Placing placing, RoomLog current, StartPosition.Newest newest) {
        long from = Math.max(0, current.head() - newest.count());
        if (current.reaches(from)) {
            begin(current, from);
        } else {
            lookUp(placing, from, page -> begin(current, Math.max(from, page.oldest() - 1)));
        }
    }

    private void placeAfter(State.Placing placing, RoomLog current, EventId position) {
        if (current.covers(position)) {
            resume(current, position, current.head());
        } else if (placing.attempt() == 1 && isAhead(current, position)) {
            // The pod may not have received the newest messages yet.
            placeAfterComparison(placing);
        } else {
            lookUp(placing, position.offset(), page -> resumeOrGap(current, position, page));
        }
    }

    /**
     * Continues in the log that replaced the cursor's one while it was live. If the new log
     * continues from the cursor's position, the client does not notice; otherwise it receives a
     * gap.
     */
    private void onLogStartedAnew(EventId position) {
        var placing = new State.Placing(new StartPosition.After(position), 1);
        state = placing;
        RoomLog current = room.log();
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
                            gap(current, position.toString(), page);
                        }
                    });
        }
    }

    /** Compares the room with the broker, then looks the position up again. */
    private void placeAfterComparison(State.Placing placing) {
        if (placing.attempt() == MAX_ATTEMPTS) {
            stream.end(DisconnectReason.UNAVAILABLE);
            return;
        }
        var next = new State.Placing(placing.start(), placing.attempt() + 1);
        state = next;
        whenDone(Uni.createFrom().completionStage(room::compare), next, done -> place(next));
    }

    /**
     * Asks the broker about a position that the pod's log does not reach back to. The answer is
     * used only if the pod's log continues the page, so that a cursor is never ahead of its room.
     */
    private void lookUp(State.Placing placing, long after, Consumer<Page> decide) {
        RoomLog current = room.log();
        int resubscriptions = room.resubscriptions();
        whenDone(
                room.read(new Range.After(after, 1)),
                placing,
                page -> {
                    if (room.log() == current
                            && room.resubscriptions() == resubscriptions
                            && page.epoch().equals(current.epoch())
                            && page.oldest() <= current.head() + 1) {
                        decide.accept(page);
                    } else {
                        placeAfterComparison(placing);
                    }
                });
    }

    private void resumeOrGap(RoomLog current, EventId position, Page page) {
        if (page.continues(position)) {
            room.expect(page.tail());
            resume(current, position, page.newest());
        } else {
            gap(current, position.toString(), page);
        }
    }

    /** Tells whether the position may be one that the pod has not received yet. */
    private static boolean isAhead(RoomLog current, EventId position) {
        return position.epoch().equals(current.epoch()) && position.offset() > current.head();
    }

    private void begin(RoomLog current, long from) {
        writePosition(current.idAt(from));
        goLive(current, from);
    }

    private void resume(RoomLog current, EventId position, long newest) {
        long missed = newest - position.offset();
        stream.meters().resumed();
        writePosition(position);
        stream.write(stream.encoder().resumed(position, missed));
        goLive(current, position.offset());
    }

    private void gap(RoomLog current, String requested, Page page) {
        Optional<EventId> oldest =
                page.oldest() > page.newest()
                        ? Optional.empty()
                        : Optional.of(page.lineage().idAt(page.oldest()));
        long from = page.oldest() - 1;
        writeGap(page.lineage().idAt(from), new Gap(requested, oldest, page.tail()));
        room.expect(page.tail());
        goLive(current, from);
    }

    private void writeGap(EventId position, Gap gap) {
        stream.meters().gap();
        writePosition(position);
        stream.write(stream.encoder().gap(gap));
    }

    private void writePosition(EventId position) {
        stream.write(stream.encoder().position(room.room(), position.toString()));
    }

    /** The reader has everything up to this offset of this log, and receives what follows. */
    private void goLive(RoomLog found, long from) {
        if (state == ENDED) {
            return;
        }
        log = found;
        offset = from;
        state = LIVE;
        advanceAlone();
    }

    private void advanceAlone() {
        try (var batches = new DeliveryLoop.BatchCache(room.log(), stream.meters())) {
            advance(batches);
        }
    }

    // Replaying.

    private void replay(RoomLog current) {
        var replaying = new State.Replaying(room.resubscriptions(), current.head());
        state = replaying;
        stream.whenDone(
                room.read(new Range.After(offset, REPLAY_PAGE)),
                page -> {
                    if (state == replaying) {
                        onReplayPage(replaying, current, page);
                    }
                },
                () -> onReplayFailed(replaying));
    }

    /** Stays at the offset. The next message or the next sweep starts another attempt. */
    private void onReplayFailed(State.Replaying replaying) {
        if (state == replaying) {
            state = LIVE;
        }
    }

    private void onReplayPage(State.Replaying replaying, RoomLog current, Page page) {
        if (room.log() != current || room.resubscriptions() != replaying.resubscriptions()) {
            goLive(current, offset);
        } else if (!page.epoch().equals(current.epoch()) || page.newest() <= offset) {
            // The broker lost its log, and the room does not know it yet.
            var position = current.idAt(offset);
            placeAfterComparison(new State.Placing(new StartPosition.After(position), 1));
        } else if (page.oldest() > offset + 1 && handed) {
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
     * Moves a reader that has received nothing yet to the oldest message: the one at which it was
     * to begin was trimmed before it could be read. That is no fault of the reader, so it receives
     * a gap instead of being let go as slow.
     */
    private void beginAtOldest(Page page) {
        EventId position = room.log().idAt(offset);
        offset = page.oldest() - 1;
        Optional<EventId> oldest =
                page.oldest() > page.newest()
                        ? Optional.empty()
                        : Optional.of(page.lineage().idAt(page.oldest()));
        writeGap(page.lineage().idAt(offset), new Gap(position.toString(), oldest, page.tail()));
    }

    private void writePage(Page page, long end) {
        var bytes = new ByteArrayOutputStream();
        int count = 0;
        for (StoredMessage message : page.messages()) {
            if (message.offset() == offset + 1 && offset < end) {
                bytes.writeBytes(stream.encoder().encode(message, stream.format()));
                offset++;
                count++;
                handed = true;
            }
        }
        if (count == 0) {
            skipDeleted(page);
            return;
        }
        stream.write(bytes.toByteArray());
        stream.meters().delivered(count, bytes.size());
        stream.meters().replayed(count);
    }

    /** Writes a gap where messages between others were deleted from the broker's log. */
    private void skipDeleted(Page page) {
        Optional<EventId> next = page.messages().stream().findFirst().map(StoredMessage::id);
        var position = page.lineage().idAt(offset);
        offset = next.map(EventId::offset).orElse(page.newest() + 1) - 1;
        writeGap(page.lineage().idAt(offset), new Gap(position.toString(), next, page.tail()));
    }

    /** Continues with the answer, unless the cursor is in another state by then. */
    private <T> void whenDone(Uni<T> answer, State.Placing waiting, Consumer<T> next) {
        stream.whenDone(
                answer,
                item -> {
                    if (state == waiting) {
                        next.accept(item);
                    }
                },
                () -> {
                    if (state == waiting) {
                        stream.end(DisconnectReason.UNAVAILABLE);
                    }
                });
    }
}
