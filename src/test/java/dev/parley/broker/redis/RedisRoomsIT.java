package dev.parley.broker.redis;

import static dev.parley.broker.BlockingBroker.ROOM;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.BlockingBroker;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.broker.RecordingListener;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import dev.parley.redis.RedisSettings;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.Timeouts;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A pod receives the rooms that it reads, and no others. */
class RedisRoomsIT {

    private static final String OF_ALL = "parley:live";

    @AutoClose private static RedisServer redis;

    private final RedisBrokers brokers = new RedisBrokers();

    @BeforeAll
    static void startRedis() {
        redis = RedisServer.start();
    }

    @BeforeEach
    void removeAllKeys() {
        redis.command("FLUSHALL");
    }

    @AfterEach
    void closeBrokers() {
        brokers.close();
    }

    @Test
    void channelOfARoom_isSubscribedTo_fromTheFirstListenerToTheLast() {
        BlockingBroker broker = brokers.open(redis.uri());
        var room = new Room("kitchen");
        assertThat(subscribers(room)).isZero();

        RecordingListener first = broker.subscribe(room);
        RecordingListener second = broker.subscribe(room);
        assertThat(subscribers(room)).isOne();

        broker.unsubscribe(room, first);
        broker.unsubscribe(room, first);
        broker.publishText(room, "for the second");
        second.await(1);

        broker.unsubscribe(room, second);
        Timeouts.await("the channel is left").until(() -> subscribers(room) == 0);
    }

    @Test
    void messageOfARoomThatAnotherPodReads_doesNotArrive() {
        BlockingBroker reading = brokers.open(redis.uri());
        var others = new RedisBrokers();
        try (others) {
            BlockingBroker publishing = others.open(redis.uri());
            RecordingListener kitchen = reading.subscribe(new Room("kitchen"));
            double before = received(others);

            IntStream.range(0, 100)
                    .forEach(i -> publishing.publishText(new Room("kitchen"), "message " + i));
            publishing.publishText("for all");

            kitchen.await(100);
            publishing.received().await(1);
            assertThat(received(others) - before).isOne();
        }
    }

    @Test
    void roomThatIsLeftAndReadAgainAtOnce_isReceived() {
        BlockingBroker broker = brokers.open(redis.uri());
        var room = new Room("kitchen");

        for (int round = 1; round <= 200; round++) {
            RecordingListener listener = broker.subscribe(room);
            broker.unsubscribe(room, listener);
        }
        RecordingListener last = broker.subscribe(room);
        broker.publishText(room, "hello");

        last.await(1);
        assertThat(subscribers(room)).isOne();
    }

    @Test
    void roomThatIsOpenedWhileOthersPublish_hasNoHole() throws Exception {
        BlockingBroker broker = brokers.open(redis.uri());
        var stop = new AtomicBoolean();
        CompletableFuture<Void> publishing =
                CompletableFuture.runAsync(
                        () -> {
                            while (!stop.get()) {
                                broker.publishText(new Room("busy"), "hello");
                            }
                        });
        try {
            for (int round = 1; round <= 100; round++) {
                RecordingListener listener = broker.subscribe(new Room("busy"));
                Page read = broker.read(new Room("busy"), Range.newest(1));
                // Before the confirmation a message of the former subscription may still arrive.
                long next = read.newest() + 1;
                Timeouts.await("messages after the read")
                        .until(() -> offsetsFrom(next, listener).size() >= 3);
                assertThat(offsetsFrom(next, listener)).startsWith(next, next + 1, next + 2);
                broker.unsubscribe(new Room("busy"), listener);
            }
        } finally {
            stop.set(true);
            publishing.get();
        }
    }

    @Test
    void roomsOfALostConnection_areAllSubscribedToAgain() {
        BlockingBroker broker = brokers.open(redis.uri());
        List<Room> rooms = rooms(1500);
        List<RecordingListener> listeners = rooms.stream().map(broker::subscribe).toList();

        redis.command("CLIENT", "KILL", "TYPE", "pubsub");

        listeners.forEach(listener -> listener.awaitInterruptions(1));
        assertThat(rooms).allSatisfy(room -> assertThat(subscribers(room)).isOne());
        broker.publishText(rooms.get(1499), "hello");
        listeners.get(1499).await(1);
    }

    @Test
    void roomThatIsAskedForWhileTheConnectionIsLost_isConfirmedByTheNext() {
        BlockingBroker broker =
                brokers.open(redis.uri(), RedisSettings.QUICK.withTimeout(Timeouts.LIMIT));
        List<Room> rooms = rooms(20);

        List<RecordingListener> listeners = new ArrayList<>();
        for (Room room : rooms) {
            redis.command("CLIENT", "KILL", "TYPE", "pubsub");
            listeners.add(broker.subscribe(room));
        }

        for (int i = 0; i < rooms.size(); i++) {
            broker.publishText(rooms.get(i), "hello");
            listeners.get(i).awaitInterruptions(1);
        }
        assertThat(rooms).allSatisfy(room -> assertThat(subscribers(room)).isOne());
    }

    // Version 0.1 publishes and subscribes on one channel for all rooms.

    @Test
    void podOf01_receivesWhatThisVersionPublishes_asLongAsThereIsOne() throws Exception {
        BlockingBroker broker = brokers.open(redis.uri());
        Vertx vertx = Vertx.vertx();
        try {
            Queue<String> received = new ConcurrentLinkedQueue<>();
            RedisConnection old =
                    Redis.createClient(vertx, redis.uri())
                            .connect()
                            .toCompletionStage()
                            .toCompletableFuture()
                            .get();
            old.handler(push -> received.add(push.toString()));
            old.send(Request.cmd(Command.SUBSCRIBE).arg(OF_ALL));
            Timeouts.await("subscription").until(() -> subscribers(OF_ALL) == 1);

            String id = broker.publishText("hello").toString();
            Timeouts.await("announcement")
                    .until(
                            () ->
                                    received.stream()
                                            .anyMatch(
                                                    push -> push.contains(ROOM.name() + " " + id)));

            old.send(Request.cmd(Command.UNSUBSCRIBE).arg(OF_ALL));
            old.send(Request.cmd(Command.PSUBSCRIBE).arg("parley:*"));
            Timeouts.await("end of the subscription").until(() -> subscribers(OF_ALL) == 0);
            broker.publishText("again");
            broker.received().await(2);
            String last = broker.publishText("the last").toString();
            Timeouts.await("announcement on the room's channel")
                    .until(() -> received.stream().anyMatch(push -> push.contains(last)));
            assertThat(received)
                    .noneMatch(push -> push.contains(OF_ALL + ",") && push.contains("again"));
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }

    @Test
    void whatAPodOf01Publishes_isReceived_once() {
        BlockingBroker broker = brokers.open(redis.uri());

        redis.command("PUBLISH", OF_ALL, "room k3f9-1 1767225600000 {\"text\":\"from 0.1\"}");
        // A second copy of the first message would come before the next one.
        redis.command("PUBLISH", OF_ALL, "room k3f9-2 1767225600000 {\"text\":\"the next\"}");

        Timeouts.await("the next message")
                .until(
                        () ->
                                broker.received().all().stream()
                                        .anyMatch(stored -> stored.offset() == 2));
        assertThat(broker.received().all())
                .extracting(stored -> stored.message().text())
                .containsExactly("from 0.1", "the next");
    }

    private static List<Long> offsetsFrom(long first, RecordingListener listener) {
        return listener.all().stream()
                .map(StoredMessage::offset)
                .filter(offset -> offset >= first)
                .toList();
    }

    private static List<Room> rooms(int count) {
        return IntStream.range(0, count).mapToObj(i -> new Room("room-" + i)).toList();
    }

    private static long subscribers(Room room) {
        return subscribers("parley:{" + room + "}:live");
    }

    private static long subscribers(String channel) {
        RedisServer.Reply reply = redis.command("PUBSUB", "NUMSUB", channel);
        return reply.items().get(1).number();
    }

    private static double received(RedisBrokers pod) {
        return pod.meters().get("parley.messages.received").counter().count();
    }
}
