package dev.parley.delivery;

import dev.parley.log.Format;
import dev.parley.log.RoomReplica;
import dev.parley.message.Room;
import dev.parley.retry.Backoff;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;

/**
 * One client's connection, and what is written to it: the messages of its {@link Cursor}s,
 * heartbeats, and the goodbye. It has no queue: while the connection accepts no bytes, the cursors
 * stay where they are, and afterwards they catch up from the log.
 *
 * <pre>
 *                 ┌── isWritable ──┐
 *   open() ──▶ FLOWING ─────▶ STUCK          any ── end(), onGone(), a defect ──▶ ENDED
 *                 ▲ accepts no bytes│
 *                 └──── onDrain ────┘  for too long ──▶ ENDED (slow-consumer)
 * </pre>
 *
 * <p>All of it runs on its connection's event loop.
 */
final class Stream {

    private static final Logger LOG = Logger.getLogger(Stream.class);

    /**
     * The lifetime of a stream that is not ended for its age: 146 years. It is half of the greatest
     * long, so that the comparison in {@link #sweep} does not overflow when the sweep's time is
     * from before the stream was opened.
     */
    private static final long NO_LIFETIME = Long.MAX_VALUE / 2;

    private enum State {
        /** The connection accepted bytes when it was last asked. */
        FLOWING,
        /** The connection accepts no bytes; counted as slow. */
        STUCK,
        /** Nothing more is written, except that a connection may be held after its goodbye. */
        ENDED
    }

    private final DeliveryLoop loop;
    private final StreamEncoder encoder;
    private final EventsConfig config;
    private final DeliveryMeters meters;
    private final Format format;
    private final boolean heartbeatAsEvent;
    private final Duration heartbeat;
    private final long heartbeatNanos;
    private final Connection connection;
    private final Function<byte[], Runnable> endLater;
    private final Runnable onEnd;
    private final List<Cursor> cursors;

    private State state = State.FLOWING;
    private int index;
    private final long rotationNanos;
    private long writtenNanos = System.nanoTime();
    private long heartbeatEventNanos = writtenNanos;
    private Runnable onGoneAfterEnd = () -> {};
    private long stuckSinceNanos;

    /**
     * @param endLater sends the connection a goodbye and ends it after a moment; returns what to
     *     call if the connection is gone before
     * @param onEnd called once when the stream has ended
     */
    Stream(
            RoomReplica room,
            DeliveryLoop loop,
            StreamEncoder encoder,
            EventsConfig config,
            DeliveryMeters meters,
            SubscribeRequest request,
            Connection connection,
            Function<byte[], Runnable> endLater,
            Runnable onEnd) {
        this.loop = loop;
        this.encoder = encoder;
        this.config = config;
        this.meters = meters;
        this.format = request.format();
        this.heartbeatAsEvent = request.heartbeat().asEvent();
        this.heartbeat = request.heartbeat().pause().orElse(config.heartbeat());
        this.heartbeatNanos = untilHeartbeat(heartbeat, Hub.tickInterval(config)).toNanos();
        this.connection = connection;
        this.endLater = endLater;
        this.onEnd = onEnd;
        this.cursors = List.of(new Cursor(this, room));
        this.rotationNanos =
                writtenNanos + config.maxConnectionAge().map(Stream::lifetime).orElse(NO_LIFETIME);
    }

    /** Starts delivery from this position. */
    void open(StartPosition start) {
        meters.connected();
        loop.add(this);
        // Deferred, because onDrain can fire from inside write(), before the cursor has advanced.
        connection.onDrain(() -> onLoop(this::onDrain));
        cursors.forEach(cursor -> cursor.open(start));
    }

    /** Tells whether the connection accepts bytes now. */
    boolean isWritable() {
        return connection.isWritable();
    }

    /** Sends bytes that are for this stream only, or that few streams share. */
    void write(byte[] bytes) {
        writtenNanos = System.nanoTime();
        connection.write(bytes);
    }

    /**
     * Sends a batch.
     *
     * @param nowNanos the time of the round of delivery
     */
    void write(Connection.SharedBuffer buffer, long nowNanos) {
        writtenNanos = nowNanos;
        connection.write(buffer);
    }

    /**
     * Does what is due: ends the stream if it is stuck or too old, sends a heartbeat, and lets the
     * cursors catch up.
     *
     * @param nowNanos from {@link System#nanoTime}
     */
    void sweep(long nowNanos) {
        if (!connection.isWritable()) {
            onStuck(nowNanos);
            return;
        }
        markFlowing();
        if (nowNanos - rotationNanos >= 0) {
            end(DisconnectReason.ROTATION);
        } else {
            sendHeartbeat(nowNanos);
        }
        cursors.forEach(Cursor::catchUp);
    }

    /** Ends the stream with a goodbye, or cuts the connection if it is stuck. */
    void end(DisconnectReason reason) {
        if (!connection.isWritable()) {
            cut(reason);
            return;
        }
        List<byte[]> unanswered = cursors.stream().flatMap(this::unansweredPosition).toList();
        if (finish(reason)) {
            // Per the HTML standard, a stream without an id field resets the browser's last event
            // id, so a client that has no position yet gets back the one that it gave.
            unanswered.forEach(connection::write);
            if (reason == DisconnectReason.UNAVAILABLE) {
                // The stream may just have been opened; a client that does not wait before it
                // reconnects would come back at once (Hub.HeldConnections).
                onGoneAfterEnd = endLater.apply(encoder.goodbye(reason));
            } else {
                connection.end(encoder.goodbye(reason));
            }
        }
    }

    /** Ends the stream of a connection that is gone. */
    void onGone() {
        finish(DisconnectReason.CLIENT);
        onGoneAfterEnd.run();
    }

    /** Runs an action for this stream. An exception ends this stream and no other. */
    void guarded(Consumer<Stream> action) {
        try {
            action.accept(this);
        } catch (RuntimeException e) {
            String rooms =
                    cursors.stream()
                            .map(Cursor::room)
                            .map(Room::name)
                            .collect(Collectors.joining(", "));
            LOG.errorf(
                    e,
                    "room %s: ended a stream because of a defect in Parley; report it with this"
                            + " stack trace",
                    rooms);
            finish(DisconnectReason.ERROR);
            connection.abort();
        }
    }

    /**
     * Continues on the event loop when the broker has answered or failed, unless the stream has
     * ended by then.
     */
    <T> void whenDone(Uni<T> answer, Consumer<T> next, Runnable onFailure) {
        answer.subscribe()
                .with(item -> onLoop(() -> next.accept(item)), failure -> onLoop(onFailure));
    }

    DeliveryLoop loop() {
        return loop;
    }

    StreamEncoder encoder() {
        return encoder;
    }

    DeliveryMeters meters() {
        return meters;
    }

    Format format() {
        return format;
    }

    /** Returns its index in the event loop's list of streams. */
    int index() {
        return index;
    }

    void index(int index) {
        this.index = index;
    }

    /** Encodes the position that the client gave, if it has not got a position yet. */
    private java.util.stream.Stream<byte[]> unansweredPosition(Cursor cursor) {
        return cursor.unansweredPosition().stream().map(id -> encoder.position(cursor.room(), id));
    }

    /**
     * Sends a comment if nothing was written for long enough, or an event if the last one was long
     * enough ago. Before the client has its position it is a comment: per the HTML standard, an
     * event before the first id field resets the browser's last event id.
     */
    private void sendHeartbeat(long nowNanos) {
        if (heartbeatAsEvent && cursors.stream().noneMatch(Stream::isUnanswered)) {
            if (nowNanos - heartbeatEventNanos >= heartbeatNanos) {
                heartbeatEventNanos = nowNanos;
                write(encoder.heartbeatEvent(heartbeat));
            }
        } else if (nowNanos - writtenNanos >= heartbeatNanos) {
            write(encoder.heartbeat());
        }
    }

    private static boolean isUnanswered(Cursor cursor) {
        return cursor.unansweredPosition().isPresent();
    }

    private void onDrain() {
        markFlowing();
        cursors.forEach(Cursor::catchUp);
    }

    private void onStuck(long nowNanos) {
        if (state == State.FLOWING) {
            state = State.STUCK;
            stuckSinceNanos = nowNanos;
            meters.slow(1);
        } else if (nowNanos - stuckSinceNanos >= config.slowTimeout().toNanos()) {
            cut(DisconnectReason.SLOW_CONSUMER);
        }
    }

    private void markFlowing() {
        if (state == State.STUCK) {
            state = State.FLOWING;
            meters.slow(-1);
        }
    }

    private void cut(DisconnectReason reason) {
        if (finish(reason)) {
            connection.abort();
        }
    }

    private boolean finish(DisconnectReason reason) {
        if (state == State.ENDED) {
            return false;
        }
        markFlowing();
        state = State.ENDED;
        cursors.forEach(Cursor::onStreamEnded);
        loop.remove(this);
        meters.disconnected(reason);
        onEnd.run();
        return true;
    }

    private void onLoop(Runnable step) {
        loop.execute(
                () -> {
                    if (state != State.ENDED) {
                        guarded(stream -> step.run());
                    }
                });
    }

    /**
     * Returns the pause after which a heartbeat is due: an eighth shorter than asked for, or a tick
     * if that is longer, so that a client's timeout of that length is not reached.
     */
    private static Duration untilHeartbeat(Duration pause, Duration tick) {
        Duration eighth = pause.dividedBy(8);
        return pause.minus(eighth.compareTo(tick) < 0 ? tick : eighth);
    }

    /** Draws an age between half of the greatest and all of it, so that streams end spread. */
    private static long lifetime(Duration maxAge) {
        return Backoff.between(maxAge.dividedBy(2), maxAge).toNanos();
    }
}
