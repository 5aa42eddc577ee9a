package dev.parley.delivery;

import dev.parley.log.OpenRooms;
import dev.parley.message.Room;
import dev.parley.retry.Backoff;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiPredicate;

/**
 * All streams of a pod: admits them, gives each a cursor in each of its rooms, and ends them.
 * Thread-safe.
 */
public final class Hub {

    /** Longest interval between two ticks; shorter where the configuration asks for it. */
    private static final Duration MAX_TICK = Duration.ofSeconds(1);

    private static final byte[] NOTHING = new byte[0];

    private final OpenRooms rooms;
    private final StreamEncoder encoder;
    private final EventsConfig config;
    private final DeliveryMeters meters;
    private final Admission admission;
    private final HeldConnections held = new HeldConnections();

    /** Streams that read no room. */
    private final AtomicInteger streamsWithoutRooms = new AtomicInteger();

    private final Clock clock;
    private final Map<EventLoop, DeliveryLoop> loops = new ConcurrentHashMap<>();

    /** Begins without streams, and registers the metrics. */
    public Hub(
            OpenRooms rooms,
            StreamEncoder encoder,
            EventsConfig config,
            StreamLimitsConfig limits,
            MeterRegistry registry,
            Clock clock) {
        this.rooms = rooms;
        this.encoder = encoder;
        this.config = config;
        this.meters = new DeliveryMeters(registry);
        this.admission = new Admission(limits);
        this.clock = clock;
        Gauge.builder("parley.connection.limit", limits, StreamLimitsConfig::connections)
                .description("Event streams that the pod takes at most")
                .register(registry);
    }

    /** A stream as its transport sees it, whether it was admitted or refused. */
    public interface Registration {

        /** Tells whether the stream was admitted. A refused one has a goodbye only. */
        boolean isAdmitted();

        /**
         * Notes that the connection is gone: the client has closed it, or the stream was ended on
         * it. Called on its event loop, once or more often.
         */
        void onConnectionGone();
    }

    private record Admitted(Stream stream) implements Registration {

        @Override
        public boolean isAdmitted() {
            return true;
        }

        @Override
        public void onConnectionGone() {
            stream.onGone();
        }
    }

    private record Refused(Runnable onGone) implements Registration {

        @Override
        public boolean isAdmitted() {
            return false;
        }

        @Override
        public void onConnectionGone() {
            onGone.run();
        }
    }

    /**
     * Opens a stream, or writes to the client why it is refused and ends it. Called on the event
     * loop of the connection.
     *
     * @param eventLoop the event loop of the connection
     */
    public Registration subscribe(
            SubscribeRequest request, Connection connection, EventLoop eventLoop) {
        connection.write(encoder.opening());
        Optional<DisconnectReason> refusal = admit(request);
        if (refusal.isPresent()) {
            return new Refused(refuseStream(request, connection, eventLoop, refusal.get()));
        }
        Stream stream = stream(request, connection, eventLoop);
        stream.guarded(Stream::open);
        return new Admitted(stream);
    }

    /**
     * Returns the setting that keeps a client's address from opening another stream, if one does.
     *
     * @param rooms how many the stream would read
     */
    public Optional<String> fullLimit(String address, int rooms) {
        return admission.fullLimit(address, rooms);
    }

    /** Returns the number of open streams that read a room. */
    public int streams() {
        return admission.streams() - streamsWithoutRooms.get();
    }

    /**
     * Counts a stream that reads no room, such as the clock's, within the same limits and in the
     * same metrics.
     *
     * @param address the client's address
     * @return why it is refused; if empty, the caller calls {@link #leave} when the stream ends
     */
    public Optional<DisconnectReason> enter(String address) {
        Optional<DisconnectReason> refusal = admission.enter(address, 0);
        if (refusal.isEmpty()) {
            streamsWithoutRooms.incrementAndGet();
            meters.connected(0);
        }
        return refusal;
    }

    /**
     * Counts out a stream that {@link #enter} has counted in.
     *
     * @param reason why it ended
     */
    public void leave(String address, DisconnectReason reason) {
        meters.disconnected(reason, 0);
        streamsWithoutRooms.decrementAndGet();
        admission.leave(address, 0);
    }

    /**
     * Writes a stream that consists of a goodbye only, for a client that {@link #enter} refused.
     *
     * @param eventLoop the event loop of the connection
     */
    public Registration refuse(
            Connection connection, EventLoop eventLoop, DisconnectReason reason) {
        meters.refused(reason);
        connection.write(encoder.opening());
        return new Refused(held.end(encoder.goodbye(reason), connection, eventLoop));
    }

    /**
     * Writes a stream that consists of the client's position and a goodbye, for a client that may
     * get a stream later.
     *
     * @param eventLoop the event loop of the connection
     */
    public Registration refuse(
            SubscribeRequest request,
            Connection connection,
            EventLoop eventLoop,
            DisconnectReason reason) {
        connection.write(encoder.opening());
        return new Refused(refuseStream(request, connection, eventLoop, reason));
    }

    /** Refuses new streams from now on. */
    public void refuseStreams() {
        admission.close();
    }

    /**
     * Ends a part of the streams of every event loop. With the last part, connections that are held
     * after their goodbye end too, and from then on none is held.
     *
     * @param parts 1 for all of them, 2 for half of them, and so on
     */
    public void endStreams(int parts) {
        loops.values().forEach(loop -> loop.execute(() -> loop.end(parts)));
        if (parts == 1) {
            held.endAll();
        }
    }

    /**
     * Ends the streams whose holder and rooms meet a condition, such as that a right was revoked. A
     * stream that is opened afterwards is not ended: its opener checks the condition before.
     *
     * @param which is called on the event loops, with the rooms that a stream reads
     */
    public void endStreams(BiPredicate<StreamHolder, List<Room>> which, DisconnectReason reason) {
        loops.values().forEach(loop -> loop.execute(() -> loop.end(which, reason)));
    }

    /**
     * Returns the interval at which {@link #tick} has to be called. A heartbeat can be late by one
     * interval and as much as the call is late, so it becomes due more than that early.
     */
    public static Duration tickInterval(EventsConfig config) {
        Duration shorter =
                config.heartbeat().compareTo(config.slowTimeout()) < 0
                        ? config.heartbeat()
                        : config.slowTimeout();
        // Each stream asks for it when it opens, and Duration.dividedBy computes with BigDecimal.
        Duration half = Duration.ofNanos(shorter.toNanos() / 2);
        return half.compareTo(MAX_TICK) < 0 ? half : MAX_TICK;
    }

    /**
     * Does the periodic work: sends heartbeats, ends slow and old streams, compares rooms with the
     * broker, drops rooms that are no longer read. A timer calls it.
     *
     * @param nowNanos from {@link System#nanoTime}
     */
    public void tick(long nowNanos) {
        loops.values().forEach(loop -> loop.execute(() -> loop.sweep(nowNanos)));
        rooms.tick(nowNanos);
    }

    /** Counts a stream in, unless it is refused; returns why. */
    private Optional<DisconnectReason> admit(SubscribeRequest request) {
        if (request.rooms().stream().anyMatch(one -> rooms.isFullFor(one.room()))) {
            return Optional.of(DisconnectReason.LIMIT);
        }
        return admission.enter(request.address(), request.rooms().size());
    }

    /**
     * Sends a client its position back, then a goodbye, and ends the connection after a moment.
     * Leaves both out if the client gave a position while too many bytes wait for clients like it,
     * and cuts the connection if it accepts nothing.
     *
     * @return what to call when the connection is gone
     */
    private Runnable refuseStream(
            SubscribeRequest request,
            Connection connection,
            EventLoop eventLoop,
            DisconnectReason reason) {
        meters.refused(reason);
        if (request.requested().isPresent() && !connection.mayBeSentBacklog()) {
            // Its client may not take the position, of which there would be one more for each
            // stream that it asks for. A goodbye without it would make a browser forget its own; a
            // stream that ends before its first event does not. It has to end in order: a proxy
            // that gets a reset in place of the answer answers 502, after which a browser does not
            // come back.
            return held.end(NOTHING, connection, eventLoop);
        }
        List<Room> read = request.rooms().stream().map(SubscribeRequest.RoomStart::room).toList();
        request.requested()
                .map(
                        id ->
                                request.isOfOneRoom()
                                        ? encoder.position(read.get(0), id)
                                        : encoder.position(read, id))
                .ifPresent(connection::write);
        return held.end(encoder.goodbye(reason), connection, eventLoop);
    }

    private Stream stream(SubscribeRequest request, Connection connection, EventLoop eventLoop) {
        return new Stream(
                rooms,
                loops.computeIfAbsent(eventLoop, this::loop),
                encoder,
                config,
                meters,
                request,
                connection,
                goodbye -> held.end(goodbye, connection, eventLoop),
                () -> admission.leave(request.address(), request.rooms().size()));
    }

    private DeliveryLoop loop(EventLoop eventLoop) {
        return new DeliveryLoop(eventLoop, config, meters, clock);
    }

    /** Decides which clients get a stream, and counts the streams. Thread-safe. */
    static final class Admission {

        /** Rooms of one address, unless it may have more streams, each of which reads one. */
        private static final int ROOMS_OF_ADDRESS = 10_000;

        private final StreamLimitsConfig limits;
        private final int roomsPerAddress;
        private final AtomicInteger streams = new AtomicInteger();
        private final Map<String, Integer> streamsByAddress = new ConcurrentHashMap<>();
        private final Map<String, Integer> roomsByAddress = new ConcurrentHashMap<>();
        private volatile boolean closed;

        Admission(StreamLimitsConfig limits) {
            this.limits = limits;
            this.roomsPerAddress =
                    limits.roomsPerAddress()
                            .orElse(Math.max(ROOMS_OF_ADDRESS, limits.connectionsPerAddress()));
        }

        /** Refuses every stream from now on. */
        void close() {
            closed = true;
        }

        /**
         * Counts a stream in, unless it is refused.
         *
         * @param rooms how many it reads
         * @return why it is refused; if empty, the caller calls {@link #leave} when the stream ends
         */
        Optional<DisconnectReason> enter(String address, int rooms) {
            if (closed) {
                return Optional.of(DisconnectReason.DRAIN);
            }
            if (streams.incrementAndGet() > limits.connections()) {
                streams.decrementAndGet();
                return Optional.of(DisconnectReason.LIMIT);
            }
            int streamsOfAddress = streamsByAddress.merge(address, 1, Integer::sum);
            int roomsOfAddress = roomsByAddress.merge(address, rooms, Integer::sum);
            if (streamsOfAddress > limits.connectionsPerAddress()
                    || roomsOfAddress > roomsPerAddress) {
                leave(address, rooms);
                return Optional.of(DisconnectReason.LIMIT);
            }
            return Optional.empty();
        }

        /** Returns the setting that keeps an address from opening another stream, if one does. */
        Optional<String> fullLimit(String address, int rooms) {
            if (streamsByAddress.getOrDefault(address, 0) >= limits.connectionsPerAddress()) {
                return Optional.of("parley.limits.connections-per-address");
            }
            return roomsByAddress.getOrDefault(address, 0) + rooms > roomsPerAddress
                    ? Optional.of("parley.limits.rooms-per-address")
                    : Optional.empty();
        }

        /** Counts a stream out that was counted in with as many rooms. */
        void leave(String address, int rooms) {
            streams.decrementAndGet();
            subtract(streamsByAddress, address, 1);
            subtract(roomsByAddress, address, rooms);
        }

        private static void subtract(Map<String, Integer> counts, String address, int less) {
            counts.computeIfPresent(address, (a, count) -> count <= less ? null : count - less);
        }

        /** Returns the number of open streams. */
        int streams() {
            return streams.get();
        }
    }

    /**
     * Connections that have got a goodbye, most of them as soon as they were opened, and are kept
     * open for about a second before they end. Some clients do not wait for the stream's {@code
     * retry} when a connection that was answered with 200 ends: they connect again at once, dozens
     * of times a second.
     *
     * <p>A held connection is not a stream: no limit of streams counts it, and nothing is written
     * to it. A pod holds about {@link #MAX}; further ones end at once. So do all at the end of a
     * drain, because the framework waits for some of them as for requests. Thread-safe.
     */
    static final class HeldConnections {

        /**
         * Connections held at a time, about. Each needs an open file, of the reserve that is left
         * beside the greatest number of streams.
         */
        static final int MAX = 128;

        private static final Duration SHORTEST = Duration.ofMillis(500);
        private static final Duration LONGEST = Duration.ofMillis(1500);

        private final Set<Held> held = ConcurrentHashMap.newKeySet();
        private volatile boolean ended;

        /**
         * Sends the goodbye, which may be empty, and ends the connection later. Called on its event
         * loop.
         *
         * <p>Cuts the connection of a client that does not take what it was sent already. It would
         * not take the goodbye either, and a stream of HTTP/2 that has ended is open, and what was
         * written to it in memory, until its client takes all of that.
         *
         * @return what to call, on that loop, if the client closes the connection before
         */
        Runnable end(byte[] goodbye, Connection connection, EventLoop loop) {
            if (!connection.isWritable()) {
                connection.cut();
                return () -> {};
            }
            if (ended || held.size() >= MAX) {
                connection.end(goodbye);
                return () -> {};
            }
            connection.write(goodbye);
            var one = new Held(connection, loop);
            held.add(one);
            if (ended) {
                // endAll has been called meanwhile, and may have missed this one.
                one.end();
                return () -> {};
            }
            loop.executeLater(one::end, Backoff.between(SHORTEST, LONGEST));
            return one::remove;
        }

        /** Ends all of them now, and each further one at once, because the pod is about to end. */
        void endAll() {
            ended = true;
            held.forEach(one -> one.loop.execute(one::end));
        }

        private final class Held {

            private final Connection connection;
            private final EventLoop loop;

            Held(Connection connection, EventLoop loop) {
                this.connection = connection;
                this.loop = loop;
            }

            void end() {
                if (remove()) {
                    connection.end(NOTHING);
                }
            }

            /** Stops holding the connection; returns false if that happened before. */
            boolean remove() {
                return held.remove(this);
            }
        }
    }
}
