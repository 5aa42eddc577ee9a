package dev.parley.guarantees;

import static dev.parley.testsupport.TcpProxy.Direction.TO_CLIENT;
import static dev.parley.testsupport.TcpProxy.Direction.TO_SERVER;
import static dev.parley.testsupport.TcpProxy.Moment.AFTER;
import static dev.parley.testsupport.TcpProxy.Moment.BEFORE;
import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.parley.message.EventId;
import dev.parley.message.StreamPosition;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.Json;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import dev.parley.testsupport.TcpProxy;
import dev.parley.testsupport.TcpProxy.Moment;
import dev.parley.testsupport.TcpProxy.Text;
import dev.parley.testsupport.Timeouts;
import java.io.Closeable;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Redis fails at each moment of the opening of rooms, in which 500 messages a second are published.
 * It writes each message to disk before it accepts it, so nothing is lost, and each reader has to
 * receive every message after its position, in order, once.
 *
 * <p>The pod with the readers is connected to Redis through a proxy, in which traps wait for what
 * the pod and Redis say to each other. Another pod publishes.
 */
class OpeningRoomIT {

    private static final int ROUNDS = 2;
    private static final int PUBLISHERS = 4;
    private static final int STREAMS = 12;
    private static final int ROOMS_A_STREAM = 50;
    private static final int INTERRUPTIONS = 3;
    private static final AtomicInteger NUMBER = new AtomicInteger();

    @AutoClose private static RedisServer redis;
    @AutoClose private static TcpProxy network;
    @AutoClose private static ParleyProcess pod;
    @AutoClose private static ParleyProcess publishingPod;

    @BeforeAll
    static void start() {
        redis = RedisServer.startWithPersistence();
        network = TcpProxy.to(redis.port());
        // Rooms are closed a moment after their last reader has left, so that the next one opens
        // them again.
        pod =
                Pods.quickToDetectFaults()
                        .config("parley.log.linger", "1ms")
                        .config("parley.events.heartbeat", "200ms")
                        .redis(network.uri("redis"))
                        .start();
        publishingPod = Pods.quickToDetectFaults().redis(redis.uri()).start();
        Pods.awaitPublishing(pod);
        Pods.awaitPublishing(publishingPod);
    }

    /** Gives the next test a Redis, also when this one failed while there was none. */
    @AfterEach
    void restartRedis() {
        if (!redis.isAlive()) {
            redis.restart();
        }
    }

    /** A moment of the opening of a room. */
    enum Window {
        /** The pod has subscribed, which Redis has not received. */
        SUBSCRIBING(BEFORE),
        /** Redis has subscribed the pod, which does not know it yet. */
        SUBSCRIBED(BEFORE),
        /** The pod knows it, and has not read the room yet. */
        CONFIRMED(AFTER),
        /** The pod has asked for the room, which Redis has not received. */
        READING(BEFORE),
        /** Redis has answered, which the pod has not received. */
        ANSWERED(BEFORE),
        /** The pod has received the answer. */
        READ(AFTER);

        private final Moment moment;

        Window(Moment moment) {
            this.moment = moment;
        }

        Text[] texts(String room) {
            Text question = new Text(TO_SERVER, "parley:{" + room + "}:log");
            return switch (this) {
                case SUBSCRIBING -> new Text[] {new Text(TO_SERVER, channel(room))};
                case SUBSCRIBED, CONFIRMED -> new Text[] {confirmation(room)};
                case READING -> new Text[] {question};
                case ANSWERED, READ -> new Text[] {question, new Text(TO_CLIENT, "\"text\":")};
            };
        }
    }

    private static String channel(String room) {
        return "parley:{" + room + "}:live";
    }

    private static Text confirmation(String room) {
        String channel = channel(room);
        return new Text(TO_CLIENT, "$9\r\nsubscribe\r\n$" + channel.length() + "\r\n" + channel);
    }

    /** What happens to Redis. */
    enum Failure {
        /** The network resets the pod's connections. */
        CUT {
            @Override
            void cause() {
                network.cut();
            }
        },
        /** Redis closes all connections. */
        CLIENT_KILL {
            @Override
            void cause() {
                redis.command("CLIENT", "KILL", "TYPE", "normal");
                redis.command("CLIENT", "KILL", "TYPE", "pubsub");
            }
        },
        /** Redis is killed, and started again with what it has on disk. */
        KILL {
            @Override
            void cause() {
                redis.kill();
            }

            @Override
            void end() {
                redis.restart();
            }
        };

        abstract void cause();

        void end() {}
    }

    static Stream<Arguments> failuresInEachWindow() {
        return Arrays.stream(Window.values())
                .flatMap(
                        window ->
                                Arrays.stream(Failure.values())
                                        .map(failure -> Arguments.of(window, failure)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("failuresInEachWindow")
    void firstReaderOfARoom_receivesEverythingOnce(Window window, Failure failure) {
        String room = "opened" + NUMBER.incrementAndGet();
        try (var traffic = new Traffic(List.of(room))) {
            traffic.awaitMore(10);
            String start = "";
            List<Event> returning = new ArrayList<>();
            List<Stay> stays = new ArrayList<>();
            for (int round = 1; round <= ROUNDS; round++) {
                CompletableFuture<Void> hit =
                        network.trap(window.moment, failure::cause, window.texts(room));
                String last = returning.isEmpty() ? "" : lastId(returning);
                try (SseReader one = open(room, last);
                        SseReader other = open(room, "")) {
                    assertThat(hit).succeedsWithin(Timeouts.LIMIT);
                    failure.end();
                    one.awaitLastEventId();
                    other.awaitLastEventId();
                    String text = "round-" + round;
                    traffic.publish(room, text);
                    one.awaitData(text);
                    other.awaitData(text);
                    start = start.isEmpty() ? firstId(one) : start;
                    returning.addAll(received(one));
                    stays.add(new Stay(firstId(other), received(other)));
                }
                // Not the subscription at Redis, which is also missing while the pod connects.
                new Metrics(pod).awaitValue("parley_rooms", 0);
            }
            traffic.stop();
            stays.add(new Stay(start, returning));
            stays.forEach(stay -> stay.assertReceivedUntilLast(traffic.published(room)));
        }
    }

    @ParameterizedTest
    @EnumSource
    void hundredsOfRooms_areReceivedOnce_whenRedisFailsWhileTheyAreSubscribedToAgain(
            Failure failure) {
        String prefix = "many" + NUMBER.incrementAndGet() + "-";
        List<String> rooms =
                IntStream.range(0, STREAMS * ROOMS_A_STREAM).mapToObj(i -> prefix + i).toList();
        List<SseReader> streams = new ArrayList<>();
        for (int i = 0; i < rooms.size(); i += ROOMS_A_STREAM) {
            streams.add(openAll(rooms.subList(i, i + ROOMS_A_STREAM)));
        }
        List<Map<String, String>> starts = streams.stream().map(OpeningRoomIT::position).toList();
        try (var traffic = new Traffic(rooms)) {
            traffic.awaitMore(100);
            for (int i = 0; i < INTERRUPTIONS; i++) {
                String room = rooms.get(ThreadLocalRandom.current().nextInt(rooms.size()));
                CompletableFuture<Void> hit =
                        network.trap(BEFORE, failure::cause, confirmation(room));
                closeSubscriptions();
                assertThat(hit).succeedsWithin(Timeouts.LIMIT);
                failure.end();
                traffic.awaitMore(50);
            }
            traffic.stop();
            for (int i = 0; i < streams.size(); i++) {
                assertReceivedOnce(streams.get(i), starts.get(i), traffic);
            }
        } finally {
            streams.forEach(SseReader::close);
        }
    }

    /** Has Redis close the connection that subscribes, after which the pod subscribes again. */
    private static void closeSubscriptions() {
        try {
            redis.command("CLIENT", "KILL", "TYPE", "pubsub");
        } catch (UncheckedIOException e) {
            // Redis has failed before: the pod was still subscribing after the last interruption.
        }
    }

    private static void assertReceivedOnce(
            SseReader stream, Map<String, String> starts, Traffic traffic) {
        starts.forEach(
                (room, start) -> {
                    List<Event> published = traffic.published(room);
                    if (!published.isEmpty()) {
                        String last = lastId(published);
                        stream.await(
                                "message " + last + " of " + room,
                                reader -> offset(position(reader).get(room)) >= offset(last));
                    }
                });
        assertThat(stream.events("gap")).isEmpty();
        Map<String, List<Event>> byRoom = new HashMap<>();
        for (Event event : stream.messages()) {
            JsonNode data = Json.parse(event.data());
            String room = data.path("room").textValue();
            String id = StreamPosition.parse(event.id()).orElseThrow().get(room);
            byRoom.computeIfAbsent(room, name -> new ArrayList<>())
                    .add(new Event(id, "message", data.path("text").textValue()));
        }
        starts.forEach(
                (room, start) ->
                        new Stay(start, byRoom.getOrDefault(room, List.of()))
                                .assertReceivedAll(traffic.published(room)));
    }

    /**
     * What a reader received.
     *
     * @param start its first position
     */
    private record Stay(String start, List<Event> events) {

        /**
         * Asserts that everything after the first position was received, once. The reader has
         * stayed until the last message was published.
         */
        void assertReceivedAll(List<Event> published) {
            assertReceivedUpTo(Long.MAX_VALUE, published);
        }

        /**
         * Asserts the same of a reader that has left while messages were published: up to the last
         * one that it received.
         */
        void assertReceivedUntilLast(List<Event> published) {
            assertReceivedUpTo(offset(lastId(events)), published);
        }

        private void assertReceivedUpTo(long last, List<Event> published) {
            assertThat(events)
                    .isEqualTo(
                            published.stream()
                                    .filter(one -> offset(one.id()) > offset(start))
                                    .filter(one -> offset(one.id()) <= last)
                                    .toList());
        }
    }

    /** Opens a reader that comes back with an id, or that comes for the first time. */
    private static SseReader open(String room, String lastEventId) {
        return Pods.reconnectingReader(pod, room).lastEventId(lastEventId).open();
    }

    private static SseReader openAll(List<String> rooms) {
        String query = rooms.stream().collect(joining("&room=", "/events?format=json&room=", ""));
        return SseReader.to(pod.uri(query))
                .reconnecting()
                .open()
                .await("position in all rooms", reader -> position(reader).size() == rooms.size());
    }

    /** The position of a stream in its rooms. */
    private static Map<String, String> position(SseReader stream) {
        return StreamPosition.parse(stream.lastEventId())
                .<Map<String, String>>map(all -> all)
                .orElse(Map.of());
    }

    private static List<Event> received(SseReader reader) {
        assertThat(reader.events("gap")).isEmpty();
        return reader.messages();
    }

    private static String firstId(SseReader reader) {
        return reader.positions().get(0).id();
    }

    private static String lastId(List<Event> events) {
        return events.get(events.size() - 1).id();
    }

    private static long offset(String id) {
        return EventId.parse(id).orElseThrow().offset();
    }

    /** Publishes 500 messages a second to random rooms until it is stopped. */
    private static final class Traffic implements Closeable {

        private record Published(String room, Event message) {}

        private final List<String> rooms;
        private final Http http = new Http(publishingPod.uri());
        private final Semaphore turns = new Semaphore(0);
        private final ScheduledExecutorService pace = Executors.newScheduledThreadPool(1);
        private final ExecutorService publishers = Executors.newFixedThreadPool(PUBLISHERS);
        private final List<Future<?>> publishing = new ArrayList<>();
        private final Queue<Published> published = new ConcurrentLinkedQueue<>();
        private final AtomicInteger count = new AtomicInteger();
        private volatile boolean stopped;

        Traffic(List<String> rooms) {
            this.rooms = rooms;
            pace.scheduleAtFixedRate(turns::release, 0, 2, TimeUnit.MILLISECONDS);
            for (int i = 1; i <= PUBLISHERS; i++) {
                String name = Integer.toString(i);
                publishing.add(publishers.submit(() -> publishUntilStopped(name)));
            }
        }

        private void publishUntilStopped(String name) {
            for (int i = 1; !stopped; i++) {
                turns.acquireUninterruptibly();
                String room = rooms.get(ThreadLocalRandom.current().nextInt(rooms.size()));
                publish(room, name + "-" + i);
            }
        }

        /** Publishes a text, and repeats it under its key until it is accepted. */
        void publish(String room, String text) {
            String id;
            try {
                Http.Answer first = Pods.send(http, room, text);
                id = first.status() == 200 ? first.header("Event-Id") : repeat(room, text);
            } catch (UncheckedIOException e) {
                id = repeat(room, text);
            }
            published.add(new Published(room, new Event(id, "message", text)));
            count.incrementAndGet();
        }

        private String repeat(String room, String text) {
            return Pods.publishUntilConfirmed(http, room, text);
        }

        /** Returns when this many more messages are accepted. */
        void awaitMore(int messages) {
            int enough = count.get() + messages;
            Timeouts.await(enough + " messages").until(() -> count.get() >= enough);
        }

        /** Returns the messages of a room in their order. */
        List<Event> published(String room) {
            return published.stream()
                    .filter(one -> one.room().equals(room))
                    .map(Published::message)
                    .sorted(Comparator.comparingLong(message -> offset(message.id())))
                    .toList();
        }

        /** Returns when the last message is accepted. */
        void stop() {
            stopped = true;
            turns.release(PUBLISHERS);
            for (Future<?> one : publishing) {
                assertThat(one).succeedsWithin(Timeouts.LIMIT);
            }
        }

        @Override
        public void close() {
            stopped = true;
            pace.shutdownNow();
            publishers.shutdownNow();
        }
    }
}
