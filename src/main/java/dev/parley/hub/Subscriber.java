package dev.parley.hub;

import dev.parley.broker.Broker;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.message.EventId;
import dev.parley.message.StoredMessage;
import io.smallrye.mutiny.Uni;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * A reader: a connection, and a cursor into its room's log. It has no queue. Lives on its
 * connection's event loop, all of it.
 *
 * <pre>
 *   Placing ──found──▶ Live ◀──page sent── Replaying
 *      ▲                │ │                    ▲
 *      └─log anew───────┘ └─behind the ring────┘          any ──▶ Ended
 * </pre>
 */
final class Subscriber {

    private static final Logger LOG = Logger.getLogger(Subscriber.class);

    /** Messages that a replay asks for at a time. */
    private static final int PAGE = 256;

    /** How often a place is looked for again because the room changed meanwhile. */
    private static final int MAX_ATTEMPTS = 5;

    private enum State {
        PLACING,
        LIVE,
        REPLAYING,
        ENDED
    }

    private final LiveRoom room;
    private final Pump pump;
    private final Broker broker;
    private final FrameEncoder encoder;
    private final SubscriberConfig config;
    private final HubMeters meters;
    private final Format format;
    private final Connection connection;
    private final Runnable onEnd;

    private State state = State.PLACING;
    private @Nullable RoomLog log;
    private long cursor;
    private Optional<String> requested = Optional.empty();
    private int index;
    private final long openedNanos = System.nanoTime();
    private final long lifetimeNanos;
    private long writtenNanos = openedNanos;
    private long stuckSinceNanos;
    private boolean stuck;

    /**
     * @param onEnd called once when this reader is gone
     */
    Subscriber(
            LiveRoom room,
            Pump pump,
            Broker broker,
            FrameEncoder encoder,
            SubscriberConfig config,
            HubMeters meters,
            Format format,
            Connection connection,
            Runnable onEnd) {
        this.room = room;
        this.pump = pump;
        this.broker = broker;
        this.encoder = encoder;
        this.config = config;
        this.meters = meters;
        this.format = format;
        this.connection = connection;
        this.onEnd = onEnd;
        this.lifetimeNanos =
                config.maxConnectionAge().map(Subscriber::lifetime).orElse(Long.MAX_VALUE);
    }

    void open(Start start) {
        requested = start.requested();
        meters.connected();
        pump.add(this, room);
        // Not at once: a connection may drain in the midst of a write, before the cursor has moved.
        connection.onDrain(() -> proceed(this::drained));
        whenDone(Uni.createFrom().completionStage(room::open), opened -> place(start, 1));
    }

    /** Sends everything up to the head of the log, or as much as the connection takes. */
    void advance(Batches batches) {
        if (state != State.LIVE) {
            return;
        }
        if (batches.log() != log) {
            placeAgain();
            return;
        }
        while (cursor < batches.head() && connection.isWritable()) {
            Batches.Batch batch = batches.after(cursor, format);
            if (batch == null) {
                replay();
                return;
            }
            // First: a write that fills the queue and empties it again comes back here on its way.
            cursor = batch.last();
            writtenNanos = System.nanoTime();
            connection.write(batch.payload());
            meters.delivered(batch.count(), batch.payload().bytes().length);
        }
    }

    /** A message without a place in the log; whoever is busy with older ones does without. */
    void plain(byte[] bytes) {
        if (state == State.LIVE && connection.isWritable()) {
            write(bytes);
            meters.delivered(1, bytes.length);
        }
    }

    /** Its place among the readers of the room. */
    int index() {
        return index;
    }

    void index(int place) {
        index = place;
    }

    Format format() {
        return format;
    }

    void sweep(long nowNanos) {
        if (!connection.isWritable()) {
            stuck(nowNanos);
            return;
        }
        unstuck();
        if (nowNanos - openedNanos >= lifetimeNanos) {
            end(DisconnectReason.ROTATION);
        } else if (nowNanos - writtenNanos >= config.heartbeat().toNanos()) {
            write(encoder.heartbeat());
        }
        if (state == State.LIVE && log != null && cursor < log.head()) {
            advanceAlone();
        }
    }

    /** Says why, and ends the stream in good order. */
    void end(DisconnectReason reason) {
        boolean placing = state == State.PLACING;
        if (!connection.isWritable()) {
            cut(reason);
        } else if (ended(reason)) {
            // By the letter, a stream that never names an id makes a browser forget the one it had.
            requested.filter(id -> placing).ifPresent(id -> write(encoder.position(id)));
            connection.end(encoder.goodbye(reason));
        }
    }

    /** The connection is gone already. */
    void gone() {
        ended(DisconnectReason.CLIENT);
    }

    /** A defect met with one reader is that reader's alone. */
    void guarded(Consumer<Subscriber> action) {
        try {
            action.accept(this);
        } catch (RuntimeException e) {
            LOG.errorf(e, "a reader of room %s is disconnected", room.room());
            cut(DisconnectReason.ERROR);
        }
    }

    private void advanceAlone() {
        try (var batches = new Batches(room.log())) {
            advance(batches);
        }
    }

    private void drained() {
        unstuck();
        if (state == State.LIVE) {
            advanceAlone();
        }
    }

    private void place(Start start, int attempt) {
        RoomLog current = room.log();
        if (start instanceof Start.Tail) {
            begin(current, current.head());
        } else if (start instanceof Start.Newest newest) {
            placeAtNewest(current, newest, attempt);
        } else if (start instanceof Start.After after) {
            placeAfter(current, after, attempt);
        } else if (start instanceof Start.Unknown unknown) {
            lookUp(0, start, attempt, page -> gap(current, unknown.written(), page));
        }
    }

    private void placeAtNewest(RoomLog current, Start.Newest newest, int attempt) {
        long from = Math.max(0, current.head() - newest.count());
        if (current.reaches(from)) {
            begin(current, from);
        } else {
            lookUp(
                    from,
                    newest,
                    attempt,
                    page -> begin(current, Math.max(from, page.oldest() - 1)));
        }
    }

    private void placeAfter(RoomLog current, Start.After after, int attempt) {
        EventId position = after.position();
        boolean known = position.epoch().equals(current.epoch());
        boolean ahead = known && position.offset() > current.head();
        if (known && !ahead && current.reaches(position.offset())) {
            resume(current, position, current.head());
        } else if (ahead && attempt == 1) {
            placeAfterSync(after, attempt);
        } else {
            lookUp(position.offset(), after, attempt, page -> resumeOrGap(current, position, page));
        }
    }

    private void resumeOrGap(RoomLog current, EventId position, Page page) {
        if (page.continues(position)) {
            room.expect(page.tail());
            resume(current, position, page.newest());
        } else {
            gap(current, position.toString(), page);
        }
    }

    /**
     * Asks the broker about a place that the pod's log does not cover. The log has to lead there: a
     * reader is never ahead of its room.
     */
    private void lookUp(long after, Start start, int attempt, Consumer<Page> decide) {
        RoomLog current = room.log();
        int rejoins = room.rejoins();
        whenDone(
                broker.read(room.room(), new Range.After(after, 1)),
                page -> {
                    if (room.log() == current
                            && room.rejoins() == rejoins
                            && page.epoch().equals(current.epoch())
                            && page.oldest() <= current.head() + 1) {
                        decide.accept(page);
                    } else {
                        placeAfterSync(start, attempt);
                    }
                });
    }

    private void placeAfterSync(Start start, int attempt) {
        if (attempt == MAX_ATTEMPTS) {
            end(DisconnectReason.UNAVAILABLE);
            return;
        }
        whenDone(Uni.createFrom().completionStage(room::sync), done -> place(start, attempt + 1));
    }

    /** The log was started anew: nothing to say if it goes on where this reader is, else a gap. */
    private void placeAgain() {
        RoomLog former = log;
        RoomLog current = room.log();
        if (former == null || continues(former, current)) {
            log = current;
            advanceAlone();
            return;
        }
        EventId position = leave(former);
        lookUp(
                cursor,
                new Start.After(position),
                1,
                page -> continueOrGap(room.log(), position, page));
    }

    /** Its place in this log is no longer one; returns what it was. */
    private EventId leave(RoomLog former) {
        state = State.PLACING;
        var position = new EventId(former.epoch(), cursor);
        requested = Optional.of(position.toString());
        return position;
    }

    private boolean continues(RoomLog former, RoomLog current) {
        return former.epoch().equals(current.epoch())
                && current.reaches(cursor)
                && cursor <= current.head();
    }

    private void continueOrGap(RoomLog current, EventId position, Page page) {
        if (page.continues(position)) {
            live(current, position.offset());
        } else {
            gap(current, position.toString(), page);
        }
    }

    private void begin(RoomLog current, long from) {
        write(encoder.position(new EventId(current.epoch(), from).toString()));
        live(current, from);
    }

    private void resume(RoomLog current, EventId position, long newest) {
        long missed = newest - position.offset();
        meters.resumed();
        write(encoder.position(position.toString()));
        write(encoder.resumed(position, missed));
        live(current, position.offset());
    }

    private void gap(RoomLog current, String requested, Page page) {
        meters.gap();
        Optional<EventId> oldest =
                page.oldest() > page.newest()
                        ? Optional.empty()
                        : Optional.of(new EventId(page.epoch(), page.oldest()));
        long from = page.oldest() - 1;
        write(encoder.position(new EventId(page.epoch(), from).toString()));
        write(encoder.gap(new Gap(requested, oldest, page.tail())));
        room.expect(page.tail());
        live(current, from);
    }

    private void live(RoomLog current, long from) {
        log = current;
        cursor = from;
        state = State.LIVE;
        advanceAlone();
    }

    /**
     * The ring has moved on: the missing part is read from the broker, a page at a time. While the
     * broker is away the reader stays, and asks again when there is news or the pump sweeps.
     */
    private void replay() {
        state = State.REPLAYING;
        int rejoins = room.rejoins();
        whenDone(
                broker.read(room.room(), new Range.After(cursor, PAGE)),
                page -> replayed(page, rejoins),
                () -> state = State.LIVE);
    }

    private void replayed(Page page, int rejoins) {
        state = State.LIVE;
        RoomLog current = room.log();
        if (current != log) {
            placeAgain();
        } else if (room.rejoins() != rejoins) {
            advanceAlone();
        } else if (!page.epoch().equals(current.epoch()) || page.newest() <= cursor) {
            // The broker lost its log, and the room does not know it yet.
            placeAfterSync(new Start.After(leave(current)), 1);
        } else if (page.oldest() > cursor + 1) {
            end(DisconnectReason.SLOW_CONSUMER);
        } else {
            send(page, current.head());
            advanceAlone();
        }
    }

    /**
     * Sends what follows the cursor, but not past the room's log: what only this reader knew, the
     * room would not miss if the broker lost it.
     */
    private void send(Page page, long head) {
        var bytes = new ByteArrayOutputStream();
        long before = cursor;
        for (StoredMessage message : page.messages()) {
            if (message.offset() == cursor + 1 && cursor < head) {
                bytes.writeBytes(encoder.message(message, format));
                cursor++;
            }
        }
        if (cursor == before) {
            skipDeleted(page);
            return;
        }
        int count = (int) (cursor - before);
        write(bytes.toByteArray());
        meters.delivered(count, bytes.size());
        meters.replayed(count);
    }

    /** Somebody deleted messages from the midst of the broker's log. */
    private void skipDeleted(Page page) {
        Optional<EventId> next = page.messages().stream().findFirst().map(StoredMessage::id);
        var position = new EventId(page.epoch(), cursor);
        cursor = next.map(EventId::offset).orElse(page.newest() + 1) - 1;
        meters.gap();
        write(encoder.position(new EventId(page.epoch(), cursor).toString()));
        write(encoder.gap(new Gap(position.toString(), next, page.tail())));
    }

    private void write(byte[] bytes) {
        writtenNanos = System.nanoTime();
        connection.write(bytes);
    }

    private void stuck(long nowNanos) {
        if (!stuck) {
            stuck = true;
            stuckSinceNanos = nowNanos;
            meters.slow(1);
        } else if (nowNanos - stuckSinceNanos >= config.slowTimeout().toNanos()) {
            cut(DisconnectReason.SLOW_CONSUMER);
        }
    }

    /** Between half of the longest age and all of it, so that those who came together go apart. */
    private static long lifetime(Duration maxAge) {
        long max = maxAge.toNanos();
        return ThreadLocalRandom.current().nextLong(max / 2, max + 1);
    }

    private void cut(DisconnectReason reason) {
        if (ended(reason)) {
            connection.abort();
        }
    }

    private void unstuck() {
        if (stuck) {
            stuck = false;
            meters.slow(-1);
        }
    }

    private boolean ended(DisconnectReason reason) {
        if (state == State.ENDED) {
            return false;
        }
        state = State.ENDED;
        unstuck();
        pump.remove(this, room);
        meters.disconnected(reason);
        onEnd.run();
        return true;
    }

    /**
     * Goes on, on the event loop, with what the broker answered; without an answer the reader is
     * told.
     */
    private <T> void whenDone(Uni<T> answer, Consumer<T> next) {
        whenDone(answer, next, () -> end(DisconnectReason.UNAVAILABLE));
    }

    private <T> void whenDone(Uni<T> answer, Consumer<T> next, Runnable without) {
        answer.subscribe()
                .with(item -> proceed(() -> next.accept(item)), failure -> proceed(without));
    }

    private void proceed(Runnable step) {
        pump.execute(
                () -> {
                    if (state != State.ENDED) {
                        guarded(subscriber -> step.run());
                    }
                });
    }
}
