package dev.parley.delivery;

import dev.parley.message.EventId;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * A reader: a connection, and a cursor into its room's log. It has no queue: it keeps up from the
 * log's ring as its connection takes bytes. What it needs for a moment only, a {@link Placement} to
 * find its place and a {@link Replay} to get back into the ring, it does not keep. Lives on its
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

    /** 146 years. Not the whole range: a sweep's time may be from before the reader came. */
    private static final long NO_LIFETIME = Long.MAX_VALUE / 2;

    private enum State {
        PLACING,
        LIVE,
        REPLAYING,
        ENDED
    }

    private final LiveRoom room;
    private final Pump pump;
    private final FrameEncoder encoder;
    private final EventsConfig config;
    private final HubMeters meters;
    private final Format format;
    private final Connection connection;
    private final Runnable onEnd;

    private State state = State.PLACING;
    private @Nullable RoomLog log;
    private long cursor;

    /** What it gave, or had, as its position; empty once it has a place. */
    private Optional<String> requested = Optional.empty();

    private int index;
    private final long rotationNanos;
    private long writtenNanos = System.nanoTime();
    private long stuckSinceNanos;
    private boolean stuck;

    /**
     * @param onEnd called once when this reader is gone
     */
    Subscriber(
            LiveRoom room,
            Pump pump,
            FrameEncoder encoder,
            EventsConfig config,
            HubMeters meters,
            Format format,
            Connection connection,
            Runnable onEnd) {
        this.room = room;
        this.pump = pump;
        this.encoder = encoder;
        this.config = config;
        this.meters = meters;
        this.format = format;
        this.connection = connection;
        this.onEnd = onEnd;
        this.rotationNanos =
                writtenNanos
                        + config.maxConnectionAge().map(Subscriber::lifetime).orElse(NO_LIFETIME);
    }

    void open(Start start) {
        Placement placement = placing(start);
        meters.connected();
        pump.add(this, room);
        // Not at once: a connection may drain in the midst of a write, before the cursor has moved.
        connection.onDrain(() -> proceed(this::drained));
        whenDone(Uni.createFrom().completionStage(room::open), opened -> placement.find());
    }

    /** Sends everything up to the head of the log, or as much as the connection takes. */
    void advance(Batches batches) {
        RoomLog current = log;
        if (state != State.LIVE || current == null) {
            return;
        }
        if (batches.log() != current) {
            var position = new EventId(current.epoch(), cursor);
            leave(position).findInNewLog(position);
            return;
        }
        while (cursor < batches.head() && connection.isWritable()) {
            Batches.Batch batch = batches.after(cursor, format);
            if (batch == null) {
                replay(current);
                return;
            }
            // First: a write that fills the queue and empties it again comes back here on its way.
            cursor = batch.last();
            writtenNanos = batches.nowNanos();
            connection.write(batch.payload());
            batches.delivered(batch);
        }
    }

    /** It has everything up to this offset of this log, and gets what follows. */
    void live(RoomLog found, long from) {
        if (state == State.ENDED) {
            return;
        }
        log = found;
        cursor = from;
        requested = Optional.empty();
        state = State.LIVE;
        advanceAlone();
    }

    /** It is live where it was, and tries again when there is news or the pump sweeps. */
    void stay() {
        state = State.LIVE;
    }

    /** Its place is no longer one in the room's log: another has to be found. */
    Placement leave(EventId position) {
        return placing(new Start.After(position));
    }

    void write(byte[] bytes) {
        writtenNanos = System.nanoTime();
        connection.write(bytes);
    }

    /**
     * Goes on, on the event loop, with what the broker answered; without an answer the reader is
     * told. Nothing happens once it has ended.
     */
    <T> void whenDone(Uni<T> answer, Consumer<T> next) {
        whenDone(answer, next, () -> end(DisconnectReason.UNAVAILABLE));
    }

    <T> void whenDone(Uni<T> answer, Consumer<T> next, Runnable without) {
        answer.subscribe()
                .with(item -> proceed(() -> next.accept(item)), failure -> proceed(without));
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
        if (nowNanos - rotationNanos >= 0) {
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
        if (!connection.isWritable()) {
            cut(reason);
        } else if (ended(reason)) {
            // By the letter, a stream that never names an id makes a browser forget the one it had.
            requested.ifPresent(id -> write(encoder.position(id)));
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
            ended(DisconnectReason.ERROR);
            connection.abort();
        }
    }

    private void advanceAlone() {
        try (var batches = new Batches(room.log(), meters)) {
            advance(batches);
        }
    }

    private void drained() {
        unstuck();
        if (state == State.LIVE) {
            advanceAlone();
        }
    }

    private Placement placing(Start start) {
        state = State.PLACING;
        requested = start.requested();
        return new Placement(this, room, encoder, meters, start);
    }

    private void replay(RoomLog current) {
        state = State.REPLAYING;
        new Replay(this, room, encoder, meters, current, cursor).read();
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

    private void proceed(Runnable step) {
        pump.execute(
                () -> {
                    if (state != State.ENDED) {
                        guarded(subscriber -> step.run());
                    }
                });
    }
}
