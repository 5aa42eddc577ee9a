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
 *   <li><b>Placing</b> turns what the client gave as its start into an offset, and tells the client
 *       where it is. The pod's log answers if it reaches back far enough, else the broker does; the
 *       broker's answer counts only if the room did not change while it was given.
 *   <li><b>Live</b>: each round of delivery writes what lies between the offset and the head.
 *   <li><b>Replaying</b>: the offset has left the ring, so a page is read from the broker, written,
 *       and the cursor is live again, perhaps to be left behind again.
 * </ul>
 *
 * <p>Lives on its stream's event loop. A state that waits for an answer is an object of its own; an
 * answer to a question of an earlier state is dropped.
 */
final class Cursor {

    /** How often a position is looked for again because the room changed meanwhile. */
    private static final int MAX_ATTEMPTS = 5;

    /** Messages that a replay asks the broker for at a time. */
    private static final int REPLAY_PAGE = 256;

    private sealed interface State {

        /** Not opened yet. */
        record New() implements State {}

        /**
         * The position is being looked for.
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
         * @param end how far the room was then; later messages may be lost by the broker again, and
         *     the room would not know that this cursor had them
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

    /** Opens the room if need be, and begins at this position. */
    void open(StartPosition start) {
        var placing = new State.Placing(start, 1);
        state = placing;
        stream.loop().add(this, room);
        whenDone(Uni.createFrom().completionStage(room::open), placing, done -> place(placing));
    }

    /** Writes everything up to the head of the log, or as much as the connection takes. */
    void advance(BatchCache batches) {
        RoomLog current = log;
        if (state != LIVE || current == null) {
            return;
        }
        if (batches.log() != current) {
            onLogStartedAnew(current.idAt(offset));
            return;
        }
        while (offset < batches.head() && stream.isWritable()) {
            BatchCache.Batch batch = batches.after(offset, stream.format());
            if (batch == null) {
                replay(current);
                return;
            }
            // Before the write: one that fills the queue and empties it again comes back here.
            offset = batch.last();
            handed = true;
            stream.write(batch.buffer(), batches.nowNanos());
            batches.delivered(batch);
        }
    }

    /** Advances alone, outside of a round of delivery, if the log has something for it. */
    void catchUp() {
        if (state == LIVE && log != null && (log != room.log() || offset < log.head())) {
            advanceAlone();
        }
    }

    /** Writes a text without a position, unless the cursor is behind or the connection stuck. */
    void onPlain(SubscriberGroup.PlainBuffers plain) {
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

    /** What the client gave, or had, as its position, while no place has been found for it. */
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

    /** Its place among the cursors of the group. */
    int index() {
        return index;
    }

    void index(int place) {
        index = place;
    }

    // Placing.

    /** Looks for the offset that the start stands for. The room must be open. */
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
            // The pod may not have heard of the newest messages yet.
            placeAfterComparison(placing);
        } else {
            lookUp(placing, position.offset(), page -> resumeOrGap(current, position, page));
        }
    }

    /**
     * The room's log was replaced by a new one while the cursor was live. Nothing is told if the
     * new log goes on from the cursor's position; else the reader gets a gap.
     */
    private void onLogStartedAnew(EventId position) {
        var placing = new State.Placing(new StartPosition.After(position), 1);
        state = placing;
        RoomLog current = room.log();
        if (current.covers(position)) {
            live(current, position.offset());
        } else {
            lookUp(
                    placing,
                    position.offset(),
                    page -> {
                        if (page.continues(position)) {
                            live(current, position.offset());
                        } else {
                            gap(current, position.toString(), page);
                        }
                    });
        }
    }

    /** Looks again once the room has been compared with the broker. */
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
     * Asks the broker about a place that the pod's log does not cover. The pod's log has to lead up
     * to the page, so that a reader is never ahead of its room.
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

    /** Tells whether the position may be one that the pod has not heard of yet. */
    private static boolean isAhead(RoomLog current, EventId position) {
        return position.epoch().equals(current.epoch()) && position.offset() > current.head();
    }

    private void begin(RoomLog current, long from) {
        stream.write(stream.encoder().position(current.idAt(from).toString()));
        live(current, from);
    }

    private void resume(RoomLog current, EventId position, long newest) {
        long missed = newest - position.offset();
        stream.meters().resumed();
        stream.write(stream.encoder().position(position.toString()));
        stream.write(stream.encoder().resumed(position, missed));
        live(current, position.offset());
    }

    private void gap(RoomLog current, String requested, Page page) {
        Optional<EventId> oldest =
                page.oldest() > page.newest()
                        ? Optional.empty()
                        : Optional.of(page.lineage().idAt(page.oldest()));
        long from = page.oldest() - 1;
        writeGap(page.lineage().idAt(from), new Gap(requested, oldest, page.tail()));
        room.expect(page.tail());
        live(current, from);
    }

    private void writeGap(EventId position, Gap gap) {
        stream.meters().gap();
        stream.write(stream.encoder().position(position.toString()));
        stream.write(stream.encoder().gap(gap));
    }

    /** The reader has everything up to this offset of this log, and receives what follows. */
    private void live(RoomLog found, long from) {
        if (state == ENDED) {
            return;
        }
        log = found;
        offset = from;
        state = LIVE;
        advanceAlone();
    }

    private void advanceAlone() {
        try (var batches = new BatchCache(room.log(), stream.meters())) {
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

    /** The cursor stays where it is, and tries again when there is news or at the next sweep. */
    private void onReplayFailed(State.Replaying replaying) {
        if (state == replaying) {
            state = LIVE;
        }
    }

    private void onReplayPage(State.Replaying replaying, RoomLog current, Page page) {
        if (room.log() != current || room.resubscriptions() != replaying.resubscriptions()) {
            live(current, offset);
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
            live(current, offset);
        }
    }

    /**
     * Moves a reader that has received nothing yet to the oldest message: the one at which it was
     * to begin was trimmed before it could be read. That is no fault of the reader, so it is told
     * of the gap instead of being let go as slow.
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
                bytes.writeBytes(stream.encoder().message(message, stream.format()));
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

    /** Messages between others were deleted from the broker's log: the reader gets a gap there. */
    private void skipDeleted(Page page) {
        Optional<EventId> next = page.messages().stream().findFirst().map(StoredMessage::id);
        var position = page.lineage().idAt(offset);
        offset = next.map(EventId::offset).orElse(page.newest() + 1) - 1;
        writeGap(page.lineage().idAt(offset), new Gap(position.toString(), next, page.tail()));
    }

    /** Continues with the answer unless the cursor has gone on to another state meanwhile. */
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
