package dev.parley.hub;

import dev.parley.message.EventId;
import dev.parley.message.Room;
import dev.parley.testsupport.Patience;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.quarkus.runtime.configuration.MemorySize;
import java.math.BigInteger;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;

/** A hub between a scripted broker and connections without a network, on a loop turned by hand. */
final class Scene {

    /** Messages that a room's log holds here. */
    static final int RING = 8;

    record Log(
            int messages, MemorySize bytes, MemorySize totalBytes, Duration linger, Duration audit)
            implements LogConfig {

        Log(int messages, MemorySize bytes, MemorySize totalBytes, Duration linger) {
            this(messages, bytes, totalBytes, linger, Duration.ofHours(1));
        }
    }

    record Streams(Duration heartbeat, Duration slowTimeout, Optional<Duration> maxConnectionAge)
            implements SubscriberConfig {

        Streams(Duration heartbeat, Duration slowTimeout) {
            this(heartbeat, slowTimeout, Optional.empty());
        }

        @Override
        public Duration maxPace() {
            return Duration.ofMillis(5);
        }

        @Override
        public Duration minRetry() {
            return Duration.ofSeconds(2);
        }

        @Override
        public Duration maxRetry() {
            return Duration.ofSeconds(4);
        }
    }

    record Limits(int connections, int connectionsPerAddress) implements LimitsConfig {}

    private static final Log LOG =
            new Log(RING, bytes(4 << 20), bytes(64 << 20), Duration.ofHours(1));
    private static final Streams STREAMS = new Streams(Duration.ofHours(1), Duration.ofHours(1));

    private static final Limits LIMITS = new Limits(1_000, 1_000);

    final ScriptedBroker broker = new ScriptedBroker();
    final ManualLoop loop = new ManualLoop();
    final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    final Hub hub;

    Scene() {
        this(LOG, STREAMS, LIMITS);
    }

    private Scene(Log log, Streams streams, Limits limits) {
        hub = new Hub(broker, new LineEncoder(), log, streams, limits, meters, Clock.systemUTC());
        broker.listen(hub);
    }

    static Scene with(Log log) {
        return new Scene(log, STREAMS, LIMITS);
    }

    static Scene with(Streams streams) {
        return new Scene(LOG, streams, LIMITS);
    }

    static Scene with(Limits limits) {
        return new Scene(LOG, STREAMS, limits);
    }

    static MemorySize bytes(long count) {
        return new MemorySize(BigInteger.valueOf(count));
    }

    /** A reader: its connection, and its membership. */
    record Reader(TestConnection connection, Hub.Subscription subscription) {

        List<String> lines() {
            return connection.lines();
        }
    }

    Reader connect(Start start) {
        return connect(start, new TestConnection());
    }

    Reader connect(Start start, TestConnection connection) {
        Reader reader = join(start, connection);
        loop.run();
        return reader;
    }

    /** Connects, and does not let the loop run yet. */
    Reader join(Start start, TestConnection connection) {
        return join(ScriptedBroker.ROOM, start, connection);
    }

    private Reader join(Room room, Start start, TestConnection connection) {
        var wish = new dev.parley.hub.Reader(room, start, Format.TEXT, "203.0.113.1");
        return new Reader(connection, hub.subscribe(wish, connection, loop));
    }

    Reader connectAtTail() {
        return connect(new Start.Tail());
    }

    /** Connects to the lobby, where the broker's messages are none of, but plain text arrives. */
    Reader connectToLobby() {
        Reader reader = join(Room.LOBBY, new Start.Tail(), new TestConnection());
        loop.run();
        return reader;
    }

    Reader resume(EventId position) {
        return connect(new Start.After(position));
    }

    Scene run() {
        loop.run();
        return this;
    }

    void say(int count) {
        broker.say(count);
        loop.run();
    }

    /** Waits for what a pause of the hub's own comes before. */
    void await(Reader reader, String line) {
        Patience.await(line).until(() -> run() == this && reader.lines().contains(line));
    }

    double gauge(String meter) {
        return meters.get(meter).gauge().value();
    }

    double count(String meter, String... tags) {
        return meters.get(meter).tags(tags).counter().count();
    }

    /** The broker's messages from one offset to another, as a reader sees them. */
    List<String> messages(long first, long last) {
        List<String> all =
                broker.log().stream()
                        .filter(m -> m.offset() >= first && m.offset() <= last)
                        .map(LineEncoder::message)
                        .toList();
        if (all.size() != LongStream.rangeClosed(first, last).count()) {
            throw new IllegalArgumentException("not all retained: " + all);
        }
        return all;
    }
}
