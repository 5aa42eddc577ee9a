package dev.parley.delivery;

import dev.parley.log.OpenRooms;
import dev.parley.log.RoomReplica;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * All streams of a pod: admits them, gives each a cursor in its room, and ends them. Thread-safe.
 */
public final class Hub {

    private final OpenRooms rooms;
    private final StreamEncoder encoder;
    private final EventsConfig config;
    private final DeliveryMeters meters;
    private final Admission admission;
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
            refuse(request, connection, refusal.get());
            return () -> {};
        }
        Stream stream = stream(request, connection, eventLoop);
        stream.guarded(admitted -> admitted.open(request.start()));
        return stream::onGone;
    }

    /** Returns the number of open streams. */
    public int streams() {
        return admission.streams();
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

    private void refuse(SubscribeRequest request, Connection connection, DisconnectReason reason) {
        meters.refused(reason);
        request.start()
                .requested()
                .ifPresent(id -> connection.write(encoder.position(request.room(), id)));
        connection.end(encoder.goodbye(reason));
    }

    private Stream stream(SubscribeRequest request, Connection connection, EventLoop eventLoop) {
        RoomReplica room = rooms.acquire(request.room(), System.nanoTime());
        return new Stream(
                room,
                loops.computeIfAbsent(eventLoop, this::loop),
                encoder,
                config,
                meters,
                request.format(),
                connection,
                () -> {
                    admission.leave(request.address());
                    rooms.release(room, System.nanoTime());
                });
    }

    private DeliveryLoop loop(EventLoop eventLoop) {
        return new DeliveryLoop(eventLoop, config.maxPace(), meters, clock);
    }
}
