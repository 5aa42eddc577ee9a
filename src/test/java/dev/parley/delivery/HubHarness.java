package dev.parley.delivery;

import dev.parley.log.Format;
import dev.parley.log.LogSettings;
import dev.parley.log.OpenRooms;
import dev.parley.log.ScriptedBroker;
import dev.parley.message.EventId;
import dev.parley.message.Room;
import dev.parley.testsupport.Timeouts;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A hub between a scripted broker and connections without a network, on a loop turned by hand. */
final class HubHarness {

    /** Longer than any test. */
    static final Duration NEVER = Duration.ofHours(1);

    /** Over by the next tick. */
    static final Duration AT_ONCE = Duration.ofNanos(1);

    final ScriptedBroker broker = new ScriptedBroker();
    final ManualEventLoop loop = new ManualEventLoop();
    final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    final Hub hub;

    HubHarness() {
        this(LogSettings.DEFAULT, StreamSettings.DEFAULT, LimitSettings.DEFAULT);
    }

    private HubHarness(LogSettings log, StreamSettings streams, LimitSettings limits) {
        var encoder = new LineEncoder();
        var rooms = new OpenRooms(broker, encoder, log, meters);
        hub = new Hub(rooms, encoder, streams, limits, meters, Clock.systemUTC());
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

    TestReader connect(StartPosition start) {
        return settled(join(start));
    }

    TestReader connectAtTail() {
        return connect(new StartPosition.Tail());
    }

    TestReader resume(EventId position) {
        return connect(new StartPosition.After(position));
    }

    /** Connects to the lobby, where the broker's messages are none of, but plain text arrives. */
    TestReader connectToLobby() {
        return settled(join(Room.LOBBY, new StartPosition.Tail()));
    }

    /** Connects, and does not let the loop run yet. */
    TestReader join(StartPosition start) {
        return join(ScriptedBroker.ROOM, start);
    }

    /** The reader takes nothing from now on, and one message waits for it already. */
    void stall(TestReader reader) {
        reader.connection().stall();
        say(1);
        if (reader.connection().isWritable()) {
            throw new IllegalStateException("nothing waits for it");
        }
    }

    /** The reader takes what waits, and then as much as it is given. */
    void drain(TestReader reader) {
        reader.connection().drain();
        run();
    }

    void run() {
        loop.run();
    }

    void tick() {
        hub.tick();
        run();
    }

    /** Stores so many messages and delivers them to the pod. */
    void say(int count) {
        broker.say(count);
        run();
    }

    /** The broker gives the oldest answer that it kept back. */
    void answer() {
        broker.answer();
        run();
    }

    /** The broker gives all answers that it kept back, and keeps back no more. */
    void release() {
        broker.release();
        run();
    }

    /** Waits for what a pause of the hub's own comes before. */
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

    /** A message of the broker's, as a reader sees it. */
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

    /** A line, and then messages. */
    List<String> lineThenMessages(String line, long first, long last) {
        List<String> lines = new ArrayList<>(List.of(line));
        lines.addAll(messages(first, last));
        return lines;
    }

    private TestReader join(Room room, StartPosition start) {
        var connection = new TestConnection();
        var reader = new SubscribeRequest(room, start, Format.TEXT, "203.0.113.1");
        return new TestReader(connection, hub.subscribe(reader, connection, loop));
    }

    private TestReader settled(TestReader reader) {
        run();
        return reader;
    }
}
