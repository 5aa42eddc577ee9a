package dev.parley.delivery;

import dev.parley.log.OpenRooms;
import dev.parley.log.RoomReplica;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * All streams of a pod: admits them, gives each a cursor in its room, and ends them. Thread-safe.
 */
public final class Hub {

    /** Longest interval between two ticks; shorter where the configuration asks for it. */
    private static final Duration MAX_TICK = Duration.ofSeconds(1);

    private final OpenRooms rooms;
    private final StreamEncoder encoder;
    private final EventsConfig config;
    private final DeliveryMeters meters;
    private final Admission admission;
    private final HeldConnections held = new HeldConnections();

    /** Streams that read no room. */
    private final AtomicInteger others = new AtomicInteger();

    private final Clock clock;
    private final Map<EventLoop, DeliveryLoop> loops = new ConcurrentHashMap<>();

    public Hub(
            OpenRooms rooms,
            StreamEncoder encoder,
            EventsConfig config,
            LimitsConfig limits,
            MeterRegistry registry,
            Clock clock) {
        this.rooms = rooms;
        this.encoder = encoder;
        this.config = config;
        this.meters = new DeliveryMeters(registry);
        this.admission = new Admission(limits);
        this.clock = clock;
        Gauge.builder("parley.connection.limit", limits, LimitsConfig::connections)
                .description("Event streams that the pod takes at most")
                .register(registry);
    }

    /** A stream as its transport sees it, whether it was admitted or refused. */
    @FunctionalInterface
    public interface Registration {

        /** Says that the connection is gone. Called on its event loop, once or more often. */
        void onConnectionGone();
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
        Optional<DisconnectReason> refusal = admission.enter(request.address());
        if (refusal.isPresent()) {
            Runnable onGone = refuse(request, connection, eventLoop, refusal.get());
            return onGone::run;
        }
        Stream stream = stream(request, connection, eventLoop);
        stream.guarded(admitted -> admitted.open(request.start()));
        return stream::onGone;
    }

    /** Streams of rooms that are open now. */
    public int streams() {
        return admission.streams() - others.get();
    }

    /**
     * Counts a stream that reads no room, such as the clock's, within the same limits.
     *
     * @return why it is refused; when empty, {@link #leave} is due later
     */
    public Optional<DisconnectReason> enter(String address) {
        Optional<DisconnectReason> refusal = admission.enter(address);
        if (refusal.isEmpty()) {
            others.incrementAndGet();
        }
        return refusal;
    }

    /** Counts a stream that reads no room out. */
    public void leave(String address) {
        others.decrementAndGet();
        admission.leave(address);
    }

    /** Tells a client on a stream why it gets none. */
    public Registration refuse(Connection connection, DisconnectReason reason) {
        meters.refused(reason);
        connection.write(encoder.opening());
        connection.end(encoder.goodbye(reason));
        return () -> {};
    }

    /** Refuses new streams from now on. */
    public void refuseStreams() {
        admission.close();
    }

    /**
     * Ends a part of the streams, spread over all event loops.
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
     * Returns how often {@link #tick} has to be called. A heartbeat is sent this much early rather
     * than late.
     */
    public static Duration tickInterval(EventsConfig config) {
        Duration shorter =
                config.heartbeat().compareTo(config.slowTimeout()) < 0
                        ? config.heartbeat()
                        : config.slowTimeout();
        Duration half = shorter.dividedBy(2);
        return half.compareTo(MAX_TICK) < 0 ? half : MAX_TICK;
    }

    /**
     * Does the periodic work: sends heartbeats, ends stuck and old streams, compares rooms with the
     * broker, drops rooms that are no longer read. A timer calls it.
     */
    public void tick() {
        long now = System.nanoTime();
        loops.values().forEach(loop -> loop.execute(() -> loop.sweep(now)));
        rooms.tick(now);
    }

    /** Returns what to call when the connection is gone. */
    private Runnable refuse(
            SubscribeRequest request,
            Connection connection,
            EventLoop eventLoop,
            DisconnectReason reason) {
        meters.refused(reason);
        request.start()
                .requested()
                .ifPresent(id -> connection.write(encoder.position(request.room(), id)));
        return held.end(encoder.goodbye(reason), connection, eventLoop);
    }

    private Stream stream(SubscribeRequest request, Connection connection, EventLoop eventLoop) {
        RoomReplica room = rooms.acquire(request.room(), System.nanoTime());
        return new Stream(
                room,
                loops.computeIfAbsent(eventLoop, this::loop),
                encoder,
                config,
                meters,
                request,
                connection,
                goodbye -> held.end(goodbye, connection, eventLoop),
                () -> {
                    admission.leave(request.address());
                    rooms.release(room, System.nanoTime());
                });
    }

    private DeliveryLoop loop(EventLoop eventLoop) {
        return new DeliveryLoop(eventLoop, config.maxPace(), meters, clock);
    }
}
