package dev.parley.delivery;

import dev.parley.broker.Broker;
import dev.parley.message.Message;
import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** All rooms that have readers on this pod, fed by the broker. */
public final class Hub implements Broker.Listener {

    private final Broker broker;
    private final FrameEncoder encoder;
    private final LogConfig logConfig;
    private final EventsConfig subscriberConfig;
    private final LogBudget budget;
    private final HubMeters meters;
    private final Admission admission;
    private final Clock clock;
    private final Map<Room, RoomUse> rooms = new ConcurrentHashMap<>();
    private final Map<Loop, Pump> pumps = new ConcurrentHashMap<>();

    public Hub(
            Broker broker,
            FrameEncoder encoder,
            LogConfig logConfig,
            EventsConfig subscriberConfig,
            LimitsConfig limits,
            MeterRegistry registry,
            Clock clock) {
        this.clock = clock;
        this.admission = new Admission(limits);
        this.broker = broker;
        this.encoder = encoder;
        this.logConfig = logConfig;
        this.subscriberConfig = subscriberConfig;
        this.budget = new LogBudget(logConfig.totalBytes().asLongValue());
        this.meters = new HubMeters(registry);
        Gauge.builder("parley.rooms", rooms, Map::size)
                .description("Rooms held in memory")
                .register(registry);
        Gauge.builder("parley.connection.limit", limits, LimitsConfig::connections)
                .description("Event streams that the pod takes at most")
                .register(registry);
        Gauge.builder("parley.subscription.up", broker, b -> b.state().isUp() ? 1 : 0)
                .description("1 while messages flow from the broker, else 0")
                .register(registry);
    }

    /** A reader's membership. */
    @FunctionalInterface
    public interface Subscription {

        /** The connection is gone. Called on its event loop; once or more. */
        void cancel();
    }

    /**
     * Adds a reader, or says goodbye to it. Called on the event loop that owns the connection.
     *
     * @param loop that event loop
     */
    public Subscription subscribe(Reader reader, Connection connection, Loop loop) {
        connection.write(encoder.opening());
        Optional<DisconnectReason> refusal = admission.enter(reader.address());
        if (refusal.isPresent()) {
            refuse(reader, connection, refusal.get());
            return () -> {};
        }
        Subscriber subscriber = subscriber(reader, connection, loop);
        subscriber.guarded(added -> added.open(reader.start()));
        return subscriber::gone;
    }

    /** Streams open now. */
    public int streams() {
        return admission.streams();
    }

    /** From now on new streams are refused. */
    public void refuseStreams() {
        admission.close();
    }

    /**
     * Ends a part of the streams, spread over all event loops.
     *
     * @param parts 1 for all of them, 2 for half of them, and so on
     */
    public void endStreams(int parts) {
        pumps.values().forEach(pump -> pump.execute(() -> pump.end(parts)));
    }

    @Override
    public void received(StoredMessage message) {
        meters.received();
        RoomUse use = rooms.get(message.message().room());
        if (use != null) {
            use.room().received(message);
        }
    }

    @Override
    public void receivedPlain(String text) {
        RoomUse use = rooms.get(Room.LOBBY);
        if (use != null && !text.isEmpty()) {
            var message = Message.of(Room.LOBBY, text, clock.instant());
            use.room().readers().forEach(readers -> readers.plain(message, encoder));
        }
    }

    @Override
    public void rejoined() {
        rooms.values().forEach(use -> use.room().rejoined());
    }

    /**
     * Does what is due now and then: heartbeats, ending stuck readers, comparing rooms with the
     * broker, dropping rooms that nobody reads.
     */
    public void tick() {
        long now = System.nanoTime();
        pumps.values().forEach(pump -> pump.execute(() -> pump.sweep(now)));
        List<LiveRoom> due = new ArrayList<>();
        rooms.forEach(
                (room, use) ->
                        rooms.computeIfPresent(room, (name, known) -> tend(known, now, due)));
        due.forEach(LiveRoom::sync);
    }

    private void refuse(Reader reader, Connection connection, DisconnectReason reason) {
        meters.refused(reason);
        reader.start().requested().ifPresent(id -> connection.write(encoder.position(id)));
        connection.end(encoder.goodbye(reason));
    }

    private Subscriber subscriber(Reader reader, Connection connection, Loop loop) {
        RoomUse use = rooms.compute(reader.room(), this::acquire);
        return new Subscriber(
                use.room(),
                pumps.computeIfAbsent(loop, this::pump),
                encoder,
                subscriberConfig,
                meters,
                reader.format(),
                connection,
                () -> release(reader, use));
    }

    private Pump pump(Loop loop) {
        return new Pump(loop, subscriberConfig.maxPace(), meters, clock);
    }

    private RoomUse acquire(Room room, @Nullable RoomUse known) {
        RoomUse use = known;
        if (use != null && use.room().couldNotOpen()) {
            use.room().close();
            use = null;
        }
        if (use == null) {
            var opened = new LiveRoom(room, broker, encoder, logConfig, budget, meters);
            use = new RoomUse(opened, System.nanoTime());
        }
        use.acquire();
        return use;
    }

    private void release(Reader reader, RoomUse released) {
        admission.leave(reader.address());
        rooms.computeIfPresent(
                reader.room(),
                (name, known) -> {
                    released.release(System.nanoTime());
                    return known;
                });
    }

    private @Nullable RoomUse tend(RoomUse use, long now, List<LiveRoom> due) {
        if (use.isIdleFor(logConfig.linger(), now)) {
            use.room().close();
            return null;
        }
        if (use.isAuditDue(logConfig.audit(), now)) {
            due.add(use.room());
        }
        return use;
    }
}
