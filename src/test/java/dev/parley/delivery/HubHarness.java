package dev.parley.delivery;

import dev.parley.broker.Broker;
import dev.parley.broker.Broker.PublishRequest;
import dev.parley.broker.Broker.Receipt;
import dev.parley.broker.BrokerState;
import dev.parley.broker.HistoryBounds;
import dev.parley.broker.LostHistories;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.delivery.SubscribeRequest.RoomStart;
import dev.parley.delivery.SubscribeRequest.StartPosition;
import dev.parley.log.Format;
import dev.parley.log.LogSettings;
import dev.parley.log.OpenRooms;
import dev.parley.log.ScriptedBroker;
import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import dev.parley.testsupport.Timeouts;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.smallrye.mutiny.Uni;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Runs a real hub without network, threads or time: the broker is a {@link ScriptedBroker}, with
 * further ones for rooms that a test names, a client is a {@link TestReader} on a {@link
 * TestConnection}, and the event loop runs when a test calls {@link #run}. Methods that do
 * something run the loop afterwards, unless they say otherwise.
 */
final class HubHarness {

    /** Longer than any test. */
    static final Duration NEVER = Duration.ofHours(1);

    /** Has passed by the next tick. */
    static final Duration IMMEDIATELY = Duration.ofNanos(1);

    final ScriptedBroker broker = new ScriptedBroker();
    private final Map<Room, ScriptedBroker> others = new HashMap<>();
    final ManualEventLoop loop = new ManualEventLoop();
    final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    final Hub hub;

    HubHarness() {
        this(LogSettings.DEFAULT, StreamSettings.DEFAULT, LimitSettings.DEFAULT);
    }

    private HubHarness(LogSettings log, StreamSettings streams, LimitSettings limits) {
        this(log, streams, limits, Clock.systemUTC());
    }

    private HubHarness(LogSettings log, StreamSettings streams, LimitSettings limits, Clock clock) {
        var encoder = new LineEncoder();
        var rooms =
                new OpenRooms(new BrokerByRoom(), encoder, log, new LostHistories(meters), meters);
        hub = new Hub(rooms, encoder, streams, limits, meters, clock);
    }

    static HubHarness with(LogSettings log) {
        return new HubHarness(log, StreamSettings.DEFAULT, LimitSettings.DEFAULT);
    }

    static HubHarness with(StreamSettings streams) {
        return new HubHarness(LogSettings.DEFAULT, streams, LimitSettings.DEFAULT);
    }

    static HubHarness with(LimitSettings limits) {
        return new HubHarness(LogSettings.DEFAULT, StreamSettings.DEFAULT, limits);
    }

    static HubHarness with(Clock clock) {
        return new HubHarness(
                LogSettings.DEFAULT, StreamSettings.DEFAULT, LimitSettings.DEFAULT, clock);
    }

    /** Returns the broker of a room other than the first; its epochs have the room's name. */
    ScriptedBroker broker(String room) {
        return others.computeIfAbsent(new Room(room), name -> new ScriptedBroker(name, room));
    }

    /** Stores messages in a room's broker and delivers them to the pod. */
    void publish(String room, int count) {
        broker(room).publish(count);
        run();
    }

    /** Connects to several rooms, and does not run the loop. */
    TestReader connectWithoutRunning(List<RoomStart> rooms) {
        var connection = new TestConnection();
        return new TestReader(connection, subscribe(connection, rooms, Heartbeat.DEFAULT));
    }

    TestReader connect(RoomStart... rooms) {
        return ran(connectWithoutRunning(List.of(rooms)));
    }

    TestReader connect(StartPosition start) {
        return ran(connectWithoutRunning(start));
    }

    TestReader connectAtTail() {
        return connect(new StartPosition.Tail());
    }

    /** Connects a reader at the tail, and publishes messages to it. */
    TestReader connectAndPublish(int count) {
        TestReader reader = connectAtTail();
        publish(count);
        return reader;
    }

    /**
     * Connects a reader at the tail, and publishes messages while it is stalled after the first.
     */
    TestReader connectAndStall(int count) {
        TestReader reader = connectAtTail();
        stall(reader);
        publish(count);
        return reader;
    }

    TestReader resume(EventId position) {
        return connect(new StartPosition.After(position));
    }

    /** Connects to the lobby. The broker publishes no messages there, only plain text. */
    TestReader connectToLobby() {
        return ran(connectWithoutRunning(Room.LOBBY, new StartPosition.Tail()));
    }

    TestReader connect(StartPosition start, Heartbeat heartbeat) {
        return ran(connectWithoutRunning(ScriptedBroker.ROOM, start, heartbeat));
    }

    /** Connects, and does not run the loop. */
    TestReader connectWithoutRunning(StartPosition start) {
        return connectWithoutRunning(ScriptedBroker.ROOM, start);
    }

    /** Makes the reader accept no bytes from now on, with one message queued for it. */
    void stall(TestReader reader) {
        reader.stall();
        publish(1);
        if (reader.connection().isWritable()) {
            throw new IllegalStateException("nothing is queued for the reader");
        }
    }

    /** Makes the reader take what is queued for it, and accept bytes again. */
    void drain(TestReader reader) {
        reader.drain();
        run();
    }

    void run() {
        loop.run();
    }

    void tick() {
        tickAfter(Duration.ZERO);
    }

    /** Does the periodic work as if this time had passed. */
    void tickAfter(Duration time) {
        tickAt(System.nanoTime() + time.toNanos());
    }

    /** Does the periodic work as if it were this time of {@link System#nanoTime}. */
    void tickAt(long nanos) {
        hub.tick(nanos);
        run();
    }

    /** Stores messages in the broker and delivers them to the pod. */
    void publish(int count) {
        broker.publish(count);
        run();
    }

    void publishPlainText(String text) {
        broker.publishPlainText(text);
        run();
    }

    /** Interrupts delivery to the pod, and starts it again. */
    void interrupt() {
        broker.interrupt();
        run();
    }

    /** Lets the broker give the oldest answer that it held back. */
    void releaseOneAnswer() {
        broker.releaseOneAnswer();
        run();
    }

    /** Lets the broker give all answers that it held back, and hold back no more. */
    void releaseAnswers() {
        broker.releaseAnswers();
        run();
    }

    /** Waits for a line that the hub writes after a pause, such as that before a retry. */
    void await(TestReader reader, String line) {
        Timeouts.await(line)
                .until(
                        () -> {
                            run();
                            return reader.lines().contains(line);
                        });
    }

    double gauge(String meter) {
        return meters.get(meter).gauge().value();
    }

    double count(String meter, String... tags) {
        return meters.get(meter).tags(tags).counter().count();
    }

    /** Returns a message that the broker retains, as the line that a reader receives. */
    String message(long offset) {
        return messages(offset, offset).get(0);
    }

    List<String> messages(long first, long last) {
        List<String> all =
                broker.log().stream()
                        .filter(m -> m.offset() >= first && m.offset() <= last)
                        .map(LineEncoder::message)
                        .toList();
        if (all.size() != last - first + 1) {
            throw new IllegalArgumentException("not all retained: " + all);
        }
        return all;
    }

    /** Returns a line followed by messages. */
    List<String> lineThenMessages(String line, long first, long last) {
        List<String> lines = new ArrayList<>(List.of(line));
        lines.addAll(messages(first, last));
        return lines;
    }

    private TestReader connectWithoutRunning(Room room, StartPosition start) {
        return connectWithoutRunning(room, start, Heartbeat.DEFAULT);
    }

    private TestReader connectWithoutRunning(Room room, StartPosition start, Heartbeat heartbeat) {
        var connection = new TestConnection();
        return new TestReader(connection, subscribe(connection, room, start, heartbeat));
    }

    /** Subscribes with any connection, and does not run the loop. */
    Hub.Registration subscribe(
            Connection connection, Room room, StartPosition start, Heartbeat heartbeat) {
        return subscribe(connection, List.of(new RoomStart(room, start)), heartbeat);
    }

    private Hub.Registration subscribe(
            Connection connection, List<RoomStart> rooms, Heartbeat heartbeat) {
        var request = new SubscribeRequest(rooms, Format.TEXT, heartbeat, "203.0.113.1");
        return hub.subscribe(request, connection, loop);
    }

    /** Connects to some rooms, with others denied, for a holder. */
    TestReader connect(
            List<RoomStart> rooms, List<SubscribeRequest.Denied> denied, StreamHolder holder) {
        var connection = new TestConnection();
        var request =
                new SubscribeRequest(
                        rooms, Format.TEXT, Heartbeat.DEFAULT, "203.0.113.1", denied, holder);
        return ran(new TestReader(connection, hub.subscribe(request, connection, loop)));
    }

    /** Ends the streams of one holder. */
    @SuppressWarnings("ReferenceEquality") // A holder is equal to itself only.
    void endStreamsOf(StreamHolder holder, DisconnectReason reason) {
        hub.endStreams((known, rooms) -> known == holder, reason);
        run();
    }

    private TestReader ran(TestReader reader) {
        run();
        return reader;
    }

    /** A broker whose rooms are independent of each other. */
    private final class BrokerByRoom implements Broker {

        private ScriptedBroker of(Room room) {
            return others.getOrDefault(room, broker);
        }

        @Override
        public Uni<Receipt> publish(PublishRequest request) {
            return of(request.message().room()).publish(request);
        }

        @Override
        public Uni<Page> read(Room room, Range range) {
            return of(room).read(room, range);
        }

        @Override
        public HistoryBounds bounds(Room room) {
            return of(room).bounds(room);
        }

        @Override
        public Uni<Void> endEpoch(Room room, String epoch) {
            return of(room).endEpoch(room, epoch);
        }

        @Override
        public Uni<Void> subscribe(Room room, Listener listener) {
            return of(room).subscribe(room, listener);
        }

        @Override
        public void unsubscribe(Room room, Listener listener) {
            of(room).unsubscribe(room, listener);
        }

        @Override
        public BrokerState state() {
            return broker.state();
        }
    }

    /** An event loop that runs its tasks when a test calls it. A pause takes no time. */
    static final class ManualEventLoop implements EventLoop {

        private final ConcurrentLinkedQueue<Runnable> due = new ConcurrentLinkedQueue<>();

        @Override
        public void execute(Runnable action) {
            due.add(action);
        }

        @Override
        public void executeLater(Runnable action, Duration pause) {
            due.add(action);
        }

        /** Runs all tasks, including those that are added meanwhile. */
        void run() {
            for (Runnable next = due.poll(); next != null; next = due.poll()) {
                next.run();
            }
        }

        /**
         * Runs the next task.
         *
         * @return whether there was one
         */
        boolean runOne() {
            Runnable next = due.poll();
            if (next != null) {
                next.run();
            }
            return next != null;
        }
    }

    /** Encodes each message and each control event as one line of words. */
    private static final class LineEncoder implements StreamEncoder {

        static String message(StoredMessage message) {
            return message.id() + " " + message.message().text();
        }

        @Override
        public byte[] encode(StoredMessage message, Format format) {
            return line(message(message));
        }

        @Override
        public byte[] plain(Message message, Format format) {
            return line("plain " + message.text());
        }

        @Override
        public byte[] position(Room room, String id) {
            return line("at " + id);
        }

        @Override
        public byte[] opening() {
            return line("connected");
        }

        @Override
        public byte[] position(List<Room> rooms, String position) {
            return line("at " + position);
        }

        @Override
        public int endOfId(byte[] encoded) {
            return new String(encoded, StandardCharsets.UTF_8).indexOf(' ');
        }

        @Override
        public byte[] resumed(Room room, EventId from, long replayed) {
            return line("resumed " + from + " " + replayed);
        }

        @Override
        public byte[] gap(Room room, Gap gap) {
            String oldest = gap.oldest().map(EventId::toString).orElse("none");
            String event = "gap " + gap.requested() + " " + oldest + " " + gap.newest();
            return line(room.equals(ScriptedBroker.ROOM) ? event : event + " in " + room);
        }

        @Override
        public byte[] denied(Room room, String reason) {
            return line("denied " + room + " " + reason);
        }

        @Override
        public byte[] goodbye(DisconnectReason reason) {
            return line("goodbye " + reason.label());
        }

        @Override
        public byte[] heartbeat() {
            return line("heartbeat");
        }

        @Override
        public byte[] heartbeatEvent(Duration pause) {
            return line("heartbeat event " + pause.toSeconds());
        }

        private static byte[] line(String text) {
            return (text + "\n").getBytes(StandardCharsets.UTF_8);
        }
    }
}
