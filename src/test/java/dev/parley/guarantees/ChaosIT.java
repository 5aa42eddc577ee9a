package dev.parley.guarantees;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.guarantees.RedisChaos.Fault;
import dev.parley.message.StreamPosition;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import dev.parley.testsupport.Timeouts;
import java.io.Closeable;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.extension.TestWatcher;

/**
 * Three pods, publishers that repeat what is not confirmed, and readers whose connections break at
 * random moments. While pods die and Redis keeps what it has, each reader receives each message
 * once, in order. While Redis fails, goes back and loses keys, each reader gets a gap for what was
 * lost, and everything else.
 *
 * <p>A failure prints the seed; {@code -Dchaos.seed=…} repeats the same faults in the same order.
 */
class ChaosIT {

    private static final int PODS = 3;
    private static final int PUBLISHERS = 5;
    private static final int READERS = 30;
    private static final int TEXTS_EACH = 80;
    private static final int READERS_OF_LOSSES = 12;

    /** However long the faults take, no message is removed because there are newer ones. */
    private static final String KEEPS_ALL = "1000000";

    static final String ROOM = "chaos";

    /** Rooms before and after the first by name, which streams of several rooms read too. */
    private static final List<String> OTHER_ROOMS = List.of("art", "zoo");

    private static final String ROOMS_QUERY =
            "/events?format=json&room=" + ROOM + "&room=" + String.join("&room=", OTHER_ROOMS);

    private final long seed = Long.getLong("chaos.seed", ThreadLocalRandom.current().nextLong());
    private final Random random = new Random(seed);
    private final AtomicInteger confirmed = new AtomicInteger();

    /** The texts that were published to other rooms, by room. */
    private final Map<String, Queue<String>> inOtherRooms =
            OTHER_ROOMS.stream()
                    .collect(toMap(room -> room, room -> new ConcurrentLinkedQueue<>()));

    @RegisterExtension
    final TestWatcher printSeed =
            new TestWatcher() {
                @Override
                public void testFailed(ExtensionContext test, Throwable cause) {
                    System.err.println(test.getDisplayName() + " failed with -Dchaos.seed=" + seed);
                }
            };

    @Test
    void readersThatReconnectAtRandom_missNothing_whileAPodIsKilledAndReplaced() throws Exception {
        ExecutorService publishers = Executors.newFixedThreadPool(PUBLISHERS);
        List<ParleyProcess> pods = new ArrayList<>();
        try (RedisServer redis = RedisServer.start()) {
            startPods(redis, pods);
            List<URI> streams = pods.stream().map(pod -> pod.uri("/events?room=" + ROOM)).toList();
            List<URI> ofRooms = pods.stream().map(pod -> pod.uri(ROOMS_QUERY)).toList();
            List<Http> clients = pods.stream().map(pod -> new Http(pod.uri())).toList();
            try (var fleet = new ReaderFleet(READERS, () -> anyOf(streams));
                    var fleetOfRooms = new ReaderFleet(READERS, () -> anyOf(ofRooms))) {
                awaitPositions(fleetOfRooms);
                List<Future<List<String>>> publishing = new ArrayList<>();
                for (int i = 1; i <= PUBLISHERS; i++) {
                    String name = Integer.toString(i);
                    publishing.add(publishers.submit(() -> publish(name, clients)));
                }

                List<SseReader> all = new ArrayList<>(fleet.readers());
                all.addAll(fleetOfRooms.readers());
                breakConnections(all, 1);
                pods.get(1).kill();
                breakConnections(all, 2);
                pods.set(1, pods.get(1).replacement());
                breakConnections(all, 3);
                breakConnectionsUntil(() -> connections(all) > all.size() * 2, all);

                List<String> published = new ArrayList<>();
                for (Future<List<String>> texts : publishing) {
                    published.addAll(texts.get());
                }
                fleet.assertAllReceived(published);
                fleet.assertOrderPerPublisher(published);
                fleet.assertNoneReceived("gap");
                for (SseReader reader : fleetOfRooms.readers()) {
                    awaitTexts(reader, ROOM, published);
                    assertThat(RoomEvents.of(reader, ROOM).messages())
                            .isEqualTo(fleet.readers().get(0).messages());
                    OTHER_ROOMS.forEach(room -> awaitTexts(reader, room, inOtherRooms.get(room)));
                }
                fleetOfRooms.assertNoneReceived("gap");
            }
        } finally {
            publishers.shutdownNow();
            pods.forEach(ParleyProcess::close);
        }
    }

    @Test
    void readersGetAGapForWhatIsLost_andAllElse_whileRedisFails() {
        var oracle = new ChaosOracle();
        var pods = new ArrayList<ParleyProcess>();
        var traffic = new Traffic(oracle, pods);
        try (var redis = new RedisChaos(oracle, traffic)) {
            var pod =
                    Pods.withQuickReconnect()
                            .config("parley.redis.probe-interval", "200ms")
                            .config("parley.redis.max-backoff", "200ms")
                            .config("parley.history.size", KEEPS_ALL)
                            .config("parley.log.messages", "64");
            pods.add(pod.redis(redis.uri()).start());
            pods.add(pod.start());
            pods.add(Pods.withWrongClock(pod).start());
            pods.forEach(Pods::awaitPublishing);
            causeAll(Fault.values(), redis::cause, traffic);
        } finally {
            traffic.close();
            pods.forEach(ParleyProcess::close);
        }
    }

    /**
     * Pods that ask Sentinels for the primary. A replica may lack the last messages of a primary
     * that dies. A primary that is replaced by hand goes on accepting messages until the Sentinels
     * make it a replica; these are lost.
     */
    @Test
    void readersGetAGapForWhatIsLost_andAllElse_whileSentinelsReplaceThePrimary() {
        var oracle = new ChaosOracle();
        var pods = new ArrayList<ParleyProcess>();
        var traffic = new Traffic(oracle, pods);
        try (var redis = new SentinelChaos(oracle, traffic)) {
            var pod =
                    redis.pod()
                            .config("parley.history.size", KEEPS_ALL)
                            .config("parley.log.messages", "64");
            for (int i = 0; i < PODS; i++) {
                pods.add(pod.start());
            }
            pods.forEach(Pods::awaitPublishing);
            causeAll(SentinelChaos.Fault.values(), redis::cause, traffic);
        } finally {
            traffic.close();
            pods.forEach(ParleyProcess::close);
        }
    }

    /**
     * Causes each fault once, in random order, while clients publish and read. After each of them
     * every pod takes messages again. At the end the oracle checks what the readers have received.
     */
    private <F> void causeAll(F[] all, Consumer<F> cause, Traffic traffic) {
        List<URI> streams =
                traffic.pods.stream().map(one -> one.uri("/events?room=" + ROOM)).toList();
        List<URI> ofRooms = traffic.pods.stream().map(one -> one.uri(ROOMS_QUERY)).toList();
        try (var fleet = new ReaderFleet(READERS_OF_LOSSES, () -> anyOf(streams));
                var fleetOfRooms = new ReaderFleet(READERS_OF_LOSSES, () -> anyOf(ofRooms))) {
            awaitPositions(fleetOfRooms);
            List<SseReader> readers = new ArrayList<>(fleet.readers());
            readers.addAll(fleetOfRooms.readers());
            traffic.start(readers);
            List<F> faults = new ArrayList<>(List.of(all));
            Collections.shuffle(faults, random);
            for (F fault : faults) {
                traffic.goOn();
                cause.accept(fault);
                traffic.pods.forEach(Pods::awaitPublishing);
            }
            traffic.goOn();
            traffic.stop();

            traffic.publish("end");
            fleet.readers().forEach(reader -> reader.awaitData("end"));
            fleetOfRooms.readers().forEach(ChaosIT::awaitEnd);
            List<RoomEvents> received =
                    new ArrayList<>(fleet.readers().stream().map(RoomEvents::of).toList());
            fleetOfRooms.readers().forEach(one -> received.add(RoomEvents.of(one, ROOM)));
            traffic.oracle.check(received, kept(streams.get(0)));
        }
    }

    /**
     * Waits until each reader has a position in every room. Where a room takes longer than a tick,
     * the first id is without it, and its first messages may come before the reader's place.
     */
    private static void awaitPositions(ReaderFleet ofRooms) {
        for (SseReader reader : ofRooms.readers()) {
            Timeouts.await("a position in each room, for " + reader)
                    .until(
                            () -> StreamPosition.parse(reader.lastEventId()).orElseThrow().keySet(),
                            rooms -> rooms.contains(ROOM) && rooms.containsAll(OTHER_ROOMS));
        }
    }

    /** Waits for as many messages of a room as there are, and asserts that each came once. */
    private static void awaitTexts(SseReader ofRooms, String room, Collection<String> published) {
        Timeouts.await("messages of " + room + ", for " + ofRooms)
                .until(() -> RoomEvents.of(ofRooms, room).messages().size() >= published.size());
        assertThat(RoomEvents.of(ofRooms, room).texts())
                .containsExactlyInAnyOrderElementsOf(published);
    }

    private static void awaitEnd(SseReader ofRooms) {
        Timeouts.await("end of the room, for " + ofRooms)
                .until(() -> RoomEvents.of(ofRooms, ROOM).texts().contains("end"));
    }

    /** Returns all messages of the room: what a reader gets whose position is not known. */
    private static List<Event> kept(URI stream) {
        try (SseReader late = SseReader.to(stream).lastEventId("unknown-1").open()) {
            return late.awaitData("end").messages();
        }
    }

    /** Publishes without a pause, and resets readers' connections, until it is stopped. */
    private static final class Traffic implements RedisChaos.Traffic, Closeable {

        private final ChaosOracle oracle;
        private final List<ParleyProcess> pods;
        private final ScheduledExecutorService pace = Executors.newScheduledThreadPool(1);
        private final ExecutorService publishers = Executors.newFixedThreadPool(PUBLISHERS);
        private final Semaphore turns = new Semaphore(0);
        private final List<Future<?>> publishing = new ArrayList<>();
        private List<Http> clients = List.of();
        private volatile boolean stopped;

        Traffic(ChaosOracle oracle, List<ParleyProcess> pods) {
            this.oracle = oracle;
            this.pods = pods;
        }

        void start(List<SseReader> readers) {
            clients = pods.stream().map(pod -> new Http(pod.uri())).toList();
            pace.scheduleAtFixedRate(turns::release, 0, 10, TimeUnit.MILLISECONDS);
            pace.scheduleAtFixedRate(
                    () -> anyOf(readers).dropConnection(), 0, 20, TimeUnit.MILLISECONDS);
            for (int i = 1; i <= PUBLISHERS; i++) {
                String name = Integer.toString(i);
                publishing.add(publishers.submit(() -> publishUntilStopped(name)));
            }
        }

        private void publishUntilStopped(String name) {
            for (int i = 1; !stopped; i++) {
                turns.acquireUninterruptibly();
                publish(name + "-" + i);
                publishToAnotherRoom();
            }
        }

        /**
         * Publishes what moves the positions of streams of several rooms. Whether it arrives is not
         * checked.
         */
        private void publishToAnotherRoom() {
            try {
                Pods.tryPublish(pod(), anyOf(OTHER_ROOMS), "noise");
            } catch (UncheckedIOException e) {
                // A pod that is away.
            }
        }

        @Override
        public String publish(String text) {
            long began = System.nanoTime();
            String id =
                    Timeouts.await(text)
                            .ignoreExceptionsInstanceOf(UncheckedIOException.class)
                            .until(
                                    () -> Pods.send(pod(), ROOM, text),
                                    answer -> answer.status() == 200)
                            .header("Event-Id");
            oracle.onAcknowledged(text, id, began);
            return id;
        }

        @Override
        public Http pod() {
            return anyOf(clients);
        }

        @Override
        public void goOn() {
            int enough = oracle.acknowledged() + 25;
            Timeouts.await("publishes to go on").until(() -> oracle.acknowledged() >= enough);
        }

        /** Returns when the last publish is acknowledged, and connections break no more. */
        void stop() {
            stopped = true;
            turns.release(PUBLISHERS);
            for (Future<?> one : publishing) {
                assertThat(one).succeedsWithin(Timeouts.LIMIT);
            }
            pace.shutdownNow();
        }

        @Override
        public void close() {
            stopped = true;
            pace.shutdownNow();
            publishers.shutdownNow();
        }
    }

    private static void startPods(RedisServer redis, List<ParleyProcess> pods) {
        for (int i = 0; i < PODS; i++) {
            pods.add(
                    Pods.withQuickReconnect()
                            .redis(redis.uri())
                            .config("parley.log.messages", "64")
                            .fixedPort()
                            .start());
            Pods.awaitPublishing(pods.get(i));
        }
    }

    private List<String> publish(String name, List<Http> pods) {
        List<String> texts = new ArrayList<>();
        for (int i = 1; i <= TEXTS_EACH; i++) {
            String text = name + "-" + i;
            publishAnywhere(text, ROOM, pods);
            texts.add(text);
            String other = anyOf(OTHER_ROOMS);
            publishAnywhere(text, other, pods);
            inOtherRooms.get(other).add(text);
            confirmed.incrementAndGet();
        }
        return texts;
    }

    /** Each attempt goes to a random pod, so a repeat may go to another one. */
    private static void publishAnywhere(String text, String room, List<Http> pods) {
        Timeouts.await(text)
                .ignoreExceptionsInstanceOf(UncheckedIOException.class)
                .until(() -> Pods.tryPublish(anyOf(pods), room, text));
    }

    /** Resets random connections until this many thirds of all texts are confirmed. */
    private void breakConnections(List<SseReader> readers, int thirds) {
        int enough = PUBLISHERS * TEXTS_EACH * thirds / 3;
        breakConnectionsUntil(() -> confirmed.get() >= enough, readers);
    }

    private void breakConnectionsUntil(BooleanSupplier enough, List<SseReader> readers) {
        Timeouts.await("end of the chaos")
                .pollInterval(Duration.ofMillis(10))
                .until(
                        () -> {
                            readers.get(random.nextInt(readers.size())).dropConnection();
                            return enough.getAsBoolean();
                        });
    }

    private static int connections(List<SseReader> readers) {
        return readers.stream().mapToInt(SseReader::connections).sum();
    }

    private static <T> T anyOf(List<T> all) {
        return all.get(ThreadLocalRandom.current().nextInt(all.size()));
    }
}
