package dev.parley.delivery;

import dev.parley.log.Format;
import dev.parley.log.OpenRooms;
import dev.parley.log.RoomReplica;
import dev.parley.message.EventId;
import dev.parley.message.Room;
import dev.parley.message.StreamPosition;
import dev.parley.retry.Backoff;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.Cancellable;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * One client's connection, and what is written to it: the messages of its {@link Cursor}s, one for
 * each room that it reads, heartbeats, and the goodbye. It has no queue: while the connection
 * accepts no bytes, the cursors stay where they are, and afterwards they catch up from the log.
 *
 * <pre>
 *                sweep: accepts no bytes, or gives way
 *   open() ──▶ FLOWING ──────────▶ SLOW      any ── end(), onGone(), a defect ──▶ ENDED
 *                 ▲                  │ for too long ──▶ ENDED (slow-consumer)
 *                 └──────────────────┘
 *                 onDrain, or sweep: neither
 * </pre>
 *
 * <p><b>Giving way.</b> The bytes that wait in memory for one client each have a bound in sum.
 * While they are above it, a stream for which such bytes wait counts as slow, and one that is slow
 * is cut as soon as its client has taken nothing for five seconds: others wait for that memory. A
 * client that takes its bytes slowly is not cut for this.
 *
 * <p><b>Several rooms.</b> The id of each message is the position in all rooms ({@link
 * StreamPosition}), so that a client that comes back with the last id continues in each of them.
 * When the stream opens, the client's position is written back at once, if it gave one. It holds
 * until each cursor has its place: a cursor that is still looked up counts with what the client
 * gave. A room that the broker cannot serve at present is tried again, while the others go on. When
 * the connection accepts bytes again, the cursors take turns of one batch each, so that a busy room
 * does not keep another one waiting.
 *
 * <p>All of it runs on its connection's event loop.
 */
@SuppressWarnings("ReferenceEquality") // A cursor is equal to itself only.
final class Stream {

    private static final Logger LOG = Logger.getLogger(Stream.class);

    /**
     * The lifetime of a stream that is not ended for its age: 146 years. It is half of the greatest
     * long, so that the comparison in {@link #sweep} does not overflow when the sweep's time is
     * from before the stream was opened.
     */
    private static final long NO_LIFETIME = Long.MAX_VALUE / 2;

    /**
     * How long a client may take nothing while too many bytes wait for clients. Not from one sweep
     * to the next: the kernel accepts more for a connection only when a third of its send buffer is
     * free, so at 10 KB a second a client seems to take nothing for four seconds at a time.
     */
    private static final Duration GIVE_WAY = Duration.ofSeconds(5);

    /** Pause before a room that the broker could not serve is tried again, at the next sweep. */
    private static final Duration RETRY_ROOM = Duration.ofSeconds(1);

    /**
     * Bytes of messages that were just published up to which they are sent to a client for which
     * nothing waits, though too many bytes wait for others. If the client keeps up, the kernel
     * takes this much at once.
     */
    private static final int SMALL_BATCH = 16 * 1024;

    /** Longest time by which a stream ends before its holder's right does, beside one tick. */
    private static final Duration LONGEST_BEFORE_EXPIRY = Duration.ofSeconds(30);

    /** A right that ends later than this does not end the stream: nanoseconds cannot express it. */
    private static final Duration FAR = Duration.ofNanos(NO_LIFETIME);

    private enum State {
        /** No sweep has found the connection slow since it last accepted bytes. */
        FLOWING,
        /**
         * A sweep found that the connection accepts no bytes, or has to give way; counted until
         * neither is so.
         */
        SLOW,
        /** Nothing more is written, except that a connection may be held after its goodbye. */
        ENDED
    }

    private final OpenRooms rooms;
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
    private final List<SubscribeRequest.Denied> denied;

    /** The position in all rooms; null if the stream is of one room. */
    private final @Nullable WrittenPosition position;

    private final boolean isOfOneRoom;
    private final StreamHolder holder;

    /** The position that the client gave, if the stream reads several rooms. */
    private final Optional<String> requested;

    /** Whether the position in all rooms is to be written as soon as no cursor is looked up. */
    private boolean isPositionDue;

    /** Index of the cursor that is next to catch up. */
    private int turn;

    /** Whether a cursor was behind when the connection was full, or was to get no more. */
    private boolean isCatchingUp;

    /** Index of the cursor that is next to read a page, if it is behind its ring. */
    private int replayTurn;

    /** Whether a page is being read for one of several cursors. */
    private boolean isReplaying;

    private State state = State.FLOWING;
    private int index;
    private final long rotationNanos;
    private final long expiryNanos;
    private long writtenNanos = System.nanoTime();
    private long heartbeatEventNanos = writtenNanos;
    private Runnable onGoneAfterEnd = () -> {};
    private long slowSinceNanos;

    /** The first sweep since which the client has taken nothing, while the stream is slow. */
    private long takesNoneSinceNanos;

    /** {@link Connection#taken} at the last sweep that found the stream slow. */
    private long takenBefore;

    /**
     * @param endLater sends the connection a goodbye and ends it after a moment; returns what to
     *     call if the connection is gone before
     * @param onEnd called once when the stream has ended
     */
    Stream(
            OpenRooms rooms,
            DeliveryLoop loop,
            StreamEncoder encoder,
            EventsConfig config,
            DeliveryMeters meters,
            SubscribeRequest request,
            Connection connection,
            Function<byte[], Runnable> endLater,
            Runnable onEnd) {
        this.rooms = rooms;
        this.loop = loop;
        this.encoder = encoder;
        this.config = config;
        this.meters = meters;
        this.format = request.format();
        this.heartbeatAsEvent = request.heartbeat().asEvent();
        this.heartbeat = request.heartbeat().pause().orElse(config.heartbeat());
        this.heartbeatNanos =
                untilHeartbeat(heartbeat.toNanos(), Hub.tickInterval(config).toNanos());
        this.connection = connection;
        this.endLater = endLater;
        this.onEnd = onEnd;
        this.isOfOneRoom = request.isOfOneRoom();
        this.holder = request.holder();
        this.denied = request.denied();
        this.cursors = request.rooms().stream().map(this::cursor).toList();
        this.position = isOfOneRoom ? null : new WrittenPosition(cursors, denied);
        this.requested = isOfOneRoom ? Optional.empty() : request.requested();
        this.rotationNanos =
                writtenNanos + config.maxConnectionAge().map(Stream::lifetime).orElse(NO_LIFETIME);
        this.expiryNanos = writtenNanos + holder.until().map(this::untilExpiry).orElse(NO_LIFETIME);
    }

    /** Starts delivery. */
    void open() {
        meters.connected(cursors.size());
        loop.add(this);
        // Deferred, because onDrain can fire from inside write(), before the cursor has advanced.
        connection.onDrain(() -> onLoop(this::onDrain));
        requested.ifPresent(position -> write(encoder.position(readRooms(), position)));
        denied.forEach(one -> write(encoder.denied(one.asked().room(), one.reason())));
        cursors.forEach(Cursor::open);
    }

    /** Tells whether the stream is of one room, so that its ids are plain event ids. */
    boolean isOfOneRoom() {
        return isOfOneRoom;
    }

    /** Returns for whom the stream is. */
    StreamHolder holder() {
        return holder;
    }

    /** Returns the rooms that the stream reads, by name. */
    List<Room> readRooms() {
        return cursors.stream().map(Cursor::room).toList();
    }

    /** Tells whether the connection accepts bytes now. */
    boolean isWritable() {
        return connection.isWritable();
    }

    /** Calls {@link Connection#mayBeSentBacklog}. */
    boolean mayBeSentBacklog() {
        return connection.mayBeSentBacklog();
    }

    /**
     * Tells whether messages that were just published may be sent in bytes for this client alone.
     * While too many bytes wait for clients, only a few may be, and only if none wait for this one.
     * Otherwise one long message would be in memory once for each client that takes nothing.
     */
    boolean mayBeSentLive(int bytes) {
        return (bytes <= SMALL_BATCH && !connection.holdsBacklog())
                || connection.mayBeSentBacklog();
    }

    /**
     * Tells whether bytes that other streams are sent too may be sent now. They are in memory once,
     * except where a connection copies them.
     */
    boolean mayBeSentShared(Connection.SharedBuffer buffer) {
        return !connection.copiesShared() || mayBeSentLive(buffer.bytes().length);
    }

    /** Sends bytes that are for this stream only, or that few streams share. */
    void write(byte[] bytes) {
        write(bytes, System.nanoTime());
    }

    /**
     * Sends a batch that is for this stream only.
     *
     * @param nowNanos the time of the round of delivery
     */
    void write(byte[] bytes, long nowNanos) {
        writtenNanos = nowNanos;
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
     * Adds a message to a batch, on a stream of several rooms: with the position in all of them in
     * place of its id.
     *
     * @param cursor has just moved to the message
     * @param encoded the message as other streams share it
     */
    void append(ByteArrayOutputStream batch, Cursor cursor, EventId id, byte[] encoded) {
        int end = encoder.endOfId(encoded);
        int begin = end - id.length();
        batch.write(encoded, 0, begin);
        batch.writeBytes(inAllRooms().at(cursor, encoded, begin, end));
        batch.write(encoded, end, encoded.length - end);
    }

    /**
     * Notes that a cursor has moved otherwise than by a message that is given to {@link #append}.
     */
    void onMoved() {
        if (position != null) {
            position.onMoved();
        }
    }

    /**
     * Writes the position in all rooms now.
     *
     * @param at the cursor whose position is replaced by {@code inRoom}
     */
    void writePosition(Cursor at, EventId inRoom) {
        isPositionDue = false;
        write(encoder.position(readRooms(), inAllRooms().with(at, inRoom)));
    }

    /**
     * Notes that a cursor has found its place. When no cursor is looked up any more, the position
     * in all rooms is written, once for all of them.
     */
    void onPlaced() {
        isPositionDue = true;
        onNotPlacing();
    }

    /**
     * Notes that a cursor is not looked up any more. Writes the position in all rooms if one is due
     * and this was the last cursor that was looked up. A cursor that has not found its place makes
     * none due: its position is what it was, and a room that is away fails once a second or two.
     */
    void onNotPlacing() {
        if (cursors.stream().noneMatch(Cursor::isPlacing)) {
            writeDuePosition();
        }
    }

    /**
     * Ends the stream if the broker can serve none of its rooms at present. A room that is being
     * tried again counts among those that it cannot serve. Otherwise two rooms whose attempts take
     * turns, each failing while the other one is under way, would keep a stream that gets nothing.
     *
     * @return whether the stream was ended
     */
    boolean endIfNoneIsAvailable() {
        boolean isNone = cursors.stream().allMatch(Cursor::isUnavailable);
        if (isNone) {
            end(DisconnectReason.UNAVAILABLE);
        }
        return isNone;
    }

    /**
     * Gives back a cursor's replica of a room that was unavailable, and takes the room's replica
     * anew: another one if the former could not open.
     */
    RoomReplica exchange(RoomReplica former) {
        long now = System.nanoTime();
        rooms.release(former, now);
        return rooms.acquire(former.room(), now);
    }

    /**
     * Does what is due: ends the stream if it has been slow for too long, is too old, or if its
     * holder's right ends; sends a heartbeat, and lets the cursors catch up.
     *
     * @param nowNanos from {@link System#nanoTime}
     * @param nextSweep the time of the next sweep, by the clock of the pod
     */
    void sweep(long nowNanos, Instant nextSweep) {
        if (nowNanos - expiryNanos >= 0 || isOver(nextSweep)) {
            end(DisconnectReason.EXPIRED);
            return;
        }
        if (!connection.isWritable() || hasToGiveWay()) {
            onSlow(nowNanos);
            return;
        }
        markFlowing();
        if (nowNanos - rotationNanos >= 0) {
            end(DisconnectReason.ROTATION);
            return;
        }
        sendHeartbeat(nowNanos);
        for (Cursor cursor : cursors) {
            cursor.retry(nowNanos - RETRY_ROOM.toNanos());
        }
        writeDuePosition();
        catchUp();
    }

    /** Ends the stream with a goodbye, or cuts the connection if it accepts no bytes. */
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
            writeDuePositionTo(connection::write);
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

    /**
     * Runs an action for this stream. A failure ends this stream and no other: its cursor may have
     * moved past messages that were not written, so the client has to come back with the position
     * that it has. One of these failures is not a defect: memory outside of the heap has run out.
     */
    void guarded(Consumer<Stream> action) {
        try {
            action.accept(this);
        } catch (RuntimeException | Error e) {
            String rooms =
                    cursors.stream()
                            .map(Cursor::room)
                            .map(Room::name)
                            .collect(Collectors.joining(", "));
            if (e instanceof OutOfMemoryError) {
                LOG.errorf("room %s: ended a stream: %s", rooms, e);
            } else {
                LOG.errorf(
                        e,
                        "room %s: ended a stream because of a defect in Parley; report it with this"
                                + " stack trace",
                        rooms);
            }
            finish(DisconnectReason.ERROR);
            connection.cut();
        }
    }

    /**
     * Continues on the event loop when the broker has answered or failed, unless the stream has
     * ended by then.
     *
     * @return cancels the question; not to be called where others wait for the same answer, as for
     *     the opening of a room, which would end for them too
     */
    <T> Cancellable whenDone(Uni<T> answer, Consumer<T> next, Runnable onFailure) {
        return answer.subscribe()
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
        catchUp();
    }

    /**
     * Lets the cursors write what they are behind, as much as the connection takes. Several take
     * turns of one batch each, beginning after the one that had the last turn. Those that are
     * behind their rings have turns of their own, of one page each.
     */
    void catchUp() {
        if (isOfOneRoom()) {
            cursors.get(0).catchUp();
            return;
        }
        replayInTurn();
        int upToDate = 0;
        while (upToDate < cursors.size()
                && state != State.ENDED
                && connection.isWritable()
                && connection.mayBeSentBacklog()) {
            Cursor next = cursors.get(turn);
            turn = (turn + 1) % cursors.size();
            upToDate = next.catchUpByOneBatch() ? 0 : upToDate + 1;
        }
        isCatchingUp = upToDate < cursors.size() && cursors.stream().anyMatch(Cursor::isBehind);
    }

    /**
     * Lets the next of several cursors that are behind their rings read a page, unless one is being
     * read. The page is written when it comes, also if the other cursors have filled the connection
     * by then: so each page that is read is used, and no room waits for more than a page of each
     * other.
     */
    void replayInTurn() {
        if (isReplaying || !connection.isWritable() || !connection.mayBeSentBacklog()) {
            return;
        }
        for (int i = 0; i < cursors.size() && !isReplaying; i++) {
            Cursor next = cursors.get(replayTurn);
            replayTurn = (replayTurn + 1) % cursors.size();
            isReplaying = next.replayIfBehindRing();
        }
    }

    /** Notes that the page for {@link #replayInTurn} has been read, or cannot be. */
    void onReplayAnswered() {
        isReplaying = false;
    }

    /**
     * Tells whether a cursor was behind when the connection was full, or was to get no more, so
     * that they have to take turns.
     */
    boolean isCatchingUp() {
        return isCatchingUp;
    }

    private void writeDuePosition() {
        if (state != State.ENDED) {
            writeDuePositionTo(this::write);
        }
    }

    private void writeDuePositionTo(Consumer<byte[]> writer) {
        if (isPositionDue) {
            isPositionDue = false;
            String present = inAllRooms().toString();
            if (!present.isEmpty()) {
                writer.accept(encoder.position(readRooms(), present));
            }
        }
    }

    private WrittenPosition inAllRooms() {
        return Objects.requireNonNull(position);
    }

    private Cursor cursor(SubscribeRequest.RoomStart one) {
        return new Cursor(this, rooms.acquire(one.room(), System.nanoTime()), one.start());
    }

    private void onSlow(long nowNanos) {
        long taken = connection.taken();
        boolean takesBytes = taken != takenBefore;
        takenBefore = taken;
        if (state == State.FLOWING) {
            state = State.SLOW;
            slowSinceNanos = nowNanos;
            takesNoneSinceNanos = nowNanos;
            meters.slow(1);
            return;
        }
        if (takesBytes) {
            takesNoneSinceNanos = nowNanos;
            if (connection.isWritable()) {
                slowSinceNanos = nowNanos;
            }
        }
        boolean hasToEnd =
                nowNanos - takesNoneSinceNanos >= GIVE_WAY.toNanos()
                        && !connection.mayBeSentBacklog();
        if (hasToEnd || nowNanos - slowSinceNanos >= config.slowTimeout().toNanos()) {
            cut(DisconnectReason.SLOW_CONSUMER);
        }
    }

    /** Tells whether memory is held for this client alone, of which clients use too much in sum. */
    private boolean hasToGiveWay() {
        return connection.holdsBacklog() && !connection.mayBeSentBacklog();
    }

    private void markFlowing() {
        if (state == State.SLOW) {
            state = State.FLOWING;
            meters.slow(-1);
        }
    }

    private void cut(DisconnectReason reason) {
        if (finish(reason)) {
            connection.cut();
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
        long now = System.nanoTime();
        cursors.forEach(cursor -> rooms.release(cursor.replica(), now));
        meters.disconnected(reason, cursors.size());
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
     * Returns the nanoseconds after which a heartbeat is due: an eighth shorter than asked for, so
     * that a client's timeout of that length is not reached, and at least a tick and a quarter. For
     * example, with 8 s and a tick of 1 s it is due after 6.75 s. If a sweep comes after 6.74 s,
     * the next one comes after 7.74 s, and may be a quarter of a second late.
     */
    private static long untilHeartbeat(long pauseNanos, long tickNanos) {
        return pauseNanos - Math.max(pauseNanos / 8, tickNanos + tickNanos / 4);
    }

    /**
     * Returns the nanoseconds after which the stream ends because its holder's right ends then: a
     * tick earlier than the right, since {@link #sweep} may be late by one, and earlier by a random
     * time more, so that streams whose rights were given together do not come back together. That
     * time is at most a tenth of what is left, and {@link #LONGEST_BEFORE_EXPIRY}.
     */
    private long untilExpiry(Instant until) {
        Duration left = Duration.between(loop.clock().instant(), until);
        if (left.isNegative()) {
            return 0;
        }
        Duration most = left.dividedBy(10);
        Duration spread = most.compareTo(LONGEST_BEFORE_EXPIRY) < 0 ? most : LONGEST_BEFORE_EXPIRY;
        Duration early = Backoff.between(Duration.ZERO, spread).plus(Hub.tickInterval(config));
        return left.compareTo(FAR) > 0 ? NO_LIFETIME : Math.max(0, left.minus(early).toNanos());
    }

    /**
     * Tells whether the holder's right will be over at a time. Where the clock is right, {@link
     * #untilExpiry} has ended the stream before. If the clock was behind when the stream opened,
     * and was set since, the nanoseconds that were counted then reach beyond the right.
     */
    private boolean isOver(Instant time) {
        Instant until = holder.until().orElse(Instant.MAX);
        return !until.isAfter(time);
    }

    /** Draws an age between half of the greatest and all of it, so that streams end spread. */
    private static long lifetime(Duration maxAge) {
        return Backoff.between(maxAge.dividedBy(2), maxAge).toNanos();
    }
}
