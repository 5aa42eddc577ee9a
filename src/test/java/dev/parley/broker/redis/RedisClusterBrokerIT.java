package dev.parley.broker.redis;

import static dev.parley.broker.BlockingBroker.ROOM;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.BlockingBroker;
import dev.parley.broker.Broker;
import dev.parley.broker.Broker.Receipt;
import dev.parley.broker.HistorySettings;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.broker.RecordingListener;
import dev.parley.message.EventId;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import dev.parley.redis.RedisSettings;
import dev.parley.testsupport.RedisCluster;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SettableClock;
import dev.parley.testsupport.Timeouts;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.ProtocolVersion;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisClientType;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Request;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A broker on a Cluster whose slots move. On Redis 7 and later publish/subscribe is sharded, on
 * older servers classic.
 */
class RedisClusterBrokerIT {

    /** One for commands and one that is subscribed, for each of three masters. */
    private static final int CONNECTIONS = 6;

    @AutoClose private static RedisCluster cluster;

    private final RedisBrokers brokers = new RedisBrokers();

    @BeforeAll
    static void startCluster() {
        cluster = RedisCluster.start();
    }

    @BeforeEach
    void removeAllKeys() {
        masters().forEach(node -> node.command("FLUSHALL"));
    }

    @AfterEach
    void closeBrokers() {
        brokers.close();
        Timeouts.await("channels to be left").until(() -> shardChannels() == 0);
    }

    @ParameterizedTest
    @EnumSource
    void channelOfARoom_isSubscribedTo_atTheNodeOfItsSlot(ProtocolVersion protocol) {
        BlockingBroker broker = open(options().setPreferredProtocolVersion(protocol));
        List<Room> rooms = rooms(30);

        List<RecordingListener> listeners = rooms.stream().map(broker::subscribe).toList();

        assertThat(rooms).allSatisfy(RedisClusterBrokerIT::assertSubscribedOnce);
        for (int i = 0; i < rooms.size(); i++) {
            broker.publishText(rooms.get(i), "hello");
            listeners.get(i).await(1);
            broker.unsubscribe(rooms.get(i), listeners.get(i));
        }
        Timeouts.await("the channels to be left")
                .until(() -> rooms.stream().allMatch(room -> subscribers(room) == 0));
    }

    @Test
    void pod_hasTwoConnectionsToEachMaster() {
        open();

        Timeouts.await("connections to each master").until(() -> connections() == CONNECTIONS);
    }

    @Test
    void masterThatHangs_keepsNoTurn_fromReadsOfOtherMasters() {
        Broker broker =
                brokers.create(
                        options(),
                        RedisSettings.QUICK.withProbeTimeout(Duration.ofHours(1)),
                        HistorySettings.DEFAULT.ofAllRooms());
        BlockingBroker blocking = BlockingBroker.open(broker, SettableClock.stoppedNow());
        RedisServer hung = cluster.masterOf(keyOf(ROOM));
        Map<Boolean, List<Room>> rooms =
                rooms(300).stream()
                        .collect(
                                Collectors.partitioningBy(
                                        room -> cluster.masterOf(keyOf(room)) == hung));
        Room other = rooms.get(false).get(0);
        blocking.read(other, new Range.After(0, 1));
        var answered = new AtomicBoolean();
        // Its replica is not to take over meanwhile.
        cluster.setNodeTimeout(Duration.ofHours(1));
        hung.pause();
        try {
            rooms.get(true)
                    .forEach(
                            room ->
                                    broker.read(room, new Range.After(0, 1))
                                            .onTermination()
                                            .invoke(() -> answered.set(true))
                                            .subscribe()
                                            .with(page -> {}, failure -> {}));

            assertThat(blocking.read(other, new Range.After(0, 1)).newest()).isZero();

            assertThat(answered).as("a read of the master that hangs has ended").isFalse();
        } finally {
            hung.resume();
            cluster.setNodeTimeout(Duration.ofSeconds(5));
        }
    }

    @ParameterizedTest
    @EnumSource
    void roomWhoseSlotMoves_isSubscribedToAtItsNewNode_andCompared(ProtocolVersion protocol) {
        BlockingBroker broker = open(options().setPreferredProtocolVersion(protocol));
        broker.publishNumbers(3);

        cluster.move(keyOf(ROOM), otherMaster(ROOM));

        broker.received().awaitInterruptions(1);
        assertSubscribedOnce(ROOM);
        broker.publishNumbers(3);
        broker.received().await(6);
        assertThat(broker.readAfter(0, 10).newest()).isEqualTo(6);
        assertThat(brokers.meters().get("parley.redis.refusals").counters())
                .allSatisfy(refusals -> assertThat(refusals.count()).isZero());
    }

    @Test
    void messagesOfARoomWhoseSlotMoves_areAllInItsLog_andItsReadersLearnOfThemMeanwhile() {
        BlockingBroker broker = open();
        broker.publishNumbers(3);
        broker.received().await(3);
        RedisCluster.Move move = cluster.new Move(keyOf(ROOM), otherMaster(ROOM));

        move.begin();
        broker.publishNumbers(3);
        broker.received().await(6);
        move.moveKeys();
        // Some messages go to the next node, where no pod can be subscribed yet.
        broker.publishNumbers(3);
        Timeouts.await("a reason to compare, or the messages themselves")
                .until(
                        () ->
                                broker.received().all().size() >= 9
                                        || broker.received().interruptions() > 0);
        assertThat(broker.readAfter(0, 10).newest()).isEqualTo(9);
        move.finish();

        assertSubscribedOnce(ROOM);
        broker.publishNumbers(3);
        Timeouts.await("the last message")
                .until(() -> broker.received().all().stream().anyMatch(m -> m.offset() == 12));
        Page page = broker.readAfter(0, 20);
        assertThat(BlockingBroker.offsets(page)).isEqualTo(BlockingBroker.offsets(1, 12));
    }

    @Test
    void publishUnderAnIdempotencyKey_waitsForTheEndOfTheMove() throws Exception {
        BlockingBroker broker = open();
        broker.publishNumbers(1);
        RedisCluster.Move move = cluster.new Move(keyOf(ROOM), otherMaster(ROOM));
        move.begin();
        move.moveKeys();
        long refusals = move.refusals();

        CompletableFuture<Receipt> publishing =
                CompletableFuture.supplyAsync(() -> broker.publish("under a key", "key"));
        Timeouts.await("a refusal").until(() -> move.refusals() > refusals);
        move.finish();

        Receipt receipt = publishing.get();
        assertThat(receipt.duplicate()).isFalse();
        assertThat(broker.publish("under a key", "key")).isEqualTo(new Receipt(receipt.id(), true));
    }

    @Test
    void readOfARoomWithoutMessages_waitsForTheEndOfTheMove() throws Exception {
        BlockingBroker broker = open();
        RedisCluster.Move move = cluster.new Move(keyOf(ROOM), otherMaster(ROOM));
        move.begin();
        long refusals = move.refusals();

        CompletableFuture<Page> reading =
                CompletableFuture.supplyAsync(() -> broker.readAfter(0, 10));
        Timeouts.await("a refusal").until(() -> move.refusals() > refusals);
        assertThat(reading).isNotDone();
        move.finish();

        assertThat(reading.get().messages()).isEmpty();
    }

    /** The log has to be written anew, which its node refuses while it gives the slot away. */
    @Test
    void roomWithAForeignEntry_keepsItsLog_whileItsSlotMoves() throws Exception {
        BlockingBroker broker = open();
        broker.publishNumbers(5);
        addForeignEntry();
        RedisCluster.Move move = cluster.new Move(keyOf(ROOM), otherMaster(ROOM));
        move.begin();
        long refusals = move.refusals();

        CompletableFuture<EventId> publishing =
                CompletableFuture.supplyAsync(() -> broker.publishText("6"));
        Timeouts.await("a refusal, and another attempt")
                .until(() -> move.refusals() > refusals + 1 || publishing.isDone());
        assertThat(BlockingBroker.offsets(broker.readAfter(0, 10)))
                .isEqualTo(BlockingBroker.offsets(1, 5));
        move.moveKeys();

        assertThat(publishing.get().offset()).isEqualTo(6);
        move.finish();
        assertThat(BlockingBroker.offsets(broker.readAfter(0, 10)))
                .isEqualTo(BlockingBroker.offsets(1, 6));
        assertThat(brokers.meters().counter("parley.histories.lost").count()).isZero();
    }

    @Test
    void slotThatMovesBetweenTheSubscriptionAndTheRead_losesNothing() {
        BlockingBroker broker = open();
        BlockingBroker publishing = open();
        var room = new Room("kitchen");
        publishing.publishText(room, "before");

        RecordingListener listener = broker.subscribe(room);
        cluster.move(keyOf(room), otherMaster(room));
        publishing.publishText(room, "meanwhile");
        Page read = broker.read(room, Range.newest(10));

        assertThat(BlockingBroker.offsets(read)).containsExactly(1L, 2L);
        listener.awaitInterruptions(1);
        publishing.publishText(room, "after");
        Timeouts.await("the last message")
                .until(() -> listener.all().stream().anyMatch(m -> m.offset() == 3));
        assertSubscribedOnce(room);
    }

    @Test
    void connectionsThatAreLost_duringABatchOfSubscriptions_leaveEachRoomSubscribedOnce() {
        BlockingBroker broker = open();
        List<Room> rooms = rooms(300);
        List<RecordingListener> listeners = rooms.stream().map(broker::subscribe).toList();

        for (int round = 0; round < 5; round++) {
            masters().forEach(node -> node.command("CLIENT", "KILL", "TYPE", "pubsub"));
            cluster.move(keyOf(rooms.get(round)), otherMaster(rooms.get(round)));
        }

        listeners.forEach(listener -> listener.awaitInterruptions(1));
        Timeouts.await("each room to be subscribed to once")
                .until(() -> rooms.stream().allMatch(room -> subscribers(room) == 1));
        assertThat(rooms).allSatisfy(RedisClusterBrokerIT::assertSubscribedOnce);
        for (int i = 0; i < rooms.size(); i++) {
            broker.publishText(rooms.get(i), "hello");
            listeners.get(i).await(1);
        }
        Timeouts.await("former connections to end").until(() -> connections() == CONNECTIONS);
    }

    /** The account of the manifests, and what docs/operations.md adds to it for a Cluster. */
    @Test
    void accountWithTheLeastRights_publishesAndReads_whileASlotMoves() throws Exception {
        List<String> rights = new ArrayList<>(List.of("ACL", "SETUSER", "pod", "on", ">secret"));
        rights.addAll(rightsOfPods());
        if (!cluster.isSharded()) {
            // Before Redis 7 this command does not exist, so no account can be denied it.
            rights.remove("+quit");
        }
        rights.add("+cluster|slots");
        rights.add("+asking");
        rights.add("+punsubscribe");
        if (cluster.isSharded()) {
            rights.addAll(List.of("+ssubscribe", "+sunsubscribe", "+spublish"));
        }
        masters().forEach(node -> node.command(rights.toArray(String[]::new)));
        var options = new RedisOptions().setType(RedisClientType.CLUSTER);
        masters()
                .forEach(
                        node ->
                                options.addConnectionString(
                                        node.uri().replace("//", "//pod:secret@")));
        BlockingBroker broker = open(options);
        RedisCluster.Move move = cluster.new Move(keyOf(ROOM), otherMaster(ROOM));

        broker.publishNumbers(1);
        addForeignEntry();
        move.begin();
        move.moveKeys();
        broker.publishNumbers(1);
        move.finish();
        assertSubscribedOnce(ROOM);
        broker.publishNumbers(1);

        Timeouts.await("the last message")
                .until(() -> broker.received().all().stream().anyMatch(m -> m.offset() == 3));
        masters().forEach(node -> assertThat(node.command("ACL", "LOG").items()).isEmpty());
    }

    private static void addForeignEntry() {
        cluster.masterOf(keyOf(ROOM)).command("XADD", "parley:{room}:log", "*", "by", "another");
    }

    private static List<String> rightsOfPods() throws IOException {
        String start = "user default on PASSWORD ";
        return Files.readAllLines(Path.of("k8s/redis/users.acl")).stream()
                .filter(line -> line.startsWith(start))
                .flatMap(line -> Stream.of(line.substring(start.length()).split(" ")))
                .toList();
    }

    /** Version 0.1 has one channel for all rooms, and is subscribed to it at any node. */
    @Test
    void podOf01_receivesWhatThisVersionPublishes_atWhicheverNode() throws Exception {
        BlockingBroker broker = open();
        Vertx vertx = Vertx.vertx();
        try {
            Queue<String> received = new ConcurrentLinkedQueue<>();
            RedisConnection old =
                    Redis.createClient(vertx, otherMaster(ROOM).uri())
                            .connect()
                            .toCompletionStage()
                            .toCompletableFuture()
                            .get();
            old.handler(push -> received.add(push.toString()));
            old.send(Request.cmd(Command.SUBSCRIBE).arg("parley:live"));

            Timeouts.await("announcement")
                    .until(
                            () -> {
                                String id = broker.publishText("hello").toString();
                                return received.stream().anyMatch(push -> push.contains(id));
                            });
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }

    @Test
    void whatAPodOf01Publishes_isReceived_once() {
        BlockingBroker broker = open();

        for (RedisServer node : masters()) {
            String message = "room k3f9-" + node.port() + " 1767225600000 {\"text\":\"from 0.1\"}";
            node.command("PUBLISH", "parley:live", message);
        }

        assertThat(broker.received().await(3)).hasSize(3).doesNotHaveDuplicates();
    }

    @Test
    void roomsThatAreOpenedWhileTheirSlotsMove_haveNoHole() throws Exception {
        BlockingBroker broker = open();
        var room = new Room("busy");
        broker.publishText(room, "the first");
        var stop = new AtomicBoolean();
        List<Long> published = new ArrayList<>();
        CompletableFuture<Void> publishing =
                CompletableFuture.runAsync(
                        () -> {
                            while (!stop.get()) {
                                published.add(broker.publishText(room, "hello").offset());
                            }
                        });
        try {
            for (int round = 0; round < 10; round++) {
                cluster.move(keyOf(room), otherMaster(room));
                RecordingListener listener = broker.subscribe(room);
                long next = broker.read(room, Range.newest(1)).newest() + 1;
                Timeouts.await("messages after the read")
                        .until(() -> offsetsFrom(next, listener).size() >= 3);
                // Where the subscription had to move after the read, the pod reads once more.
                Timeouts.await("messages without a hole, or a reason to compare")
                        .until(
                                () ->
                                        listener.interruptions() > 0
                                                || offsetsFrom(next, listener)
                                                        .subList(0, 3)
                                                        .equals(List.of(next, next + 1, next + 2)));
                broker.unsubscribe(room, listener);
            }
        } finally {
            stop.set(true);
            publishing.get();
        }
        assertThat(published).isEqualTo(BlockingBroker.offsets(2, published.size() + 1L));
    }

    private static List<Long> offsetsFrom(long first, RecordingListener listener) {
        return listener.all().stream()
                .map(StoredMessage::offset)
                .filter(offset -> offset >= first)
                .toList();
    }

    private BlockingBroker open() {
        return open(options());
    }

    private BlockingBroker open(RedisOptions options) {
        return BlockingBroker.open(
                brokers.create(options, RedisSettings.QUICK, HistorySettings.DEFAULT.ofAllRooms()),
                SettableClock.stoppedNow());
    }

    private static RedisOptions options() {
        var options = new RedisOptions().setType(RedisClientType.CLUSTER);
        cluster.nodes().forEach(node -> options.addConnectionString(node.uri()));
        return options;
    }

    private static String keyOf(Room room) {
        return "{" + room + "}";
    }

    private static List<Room> rooms(int count) {
        return IntStream.range(0, count).mapToObj(i -> new Room("room-" + i)).toList();
    }

    private static List<RedisServer> masters() {
        return cluster.nodes().subList(0, 3);
    }

    private static RedisServer otherMaster(Room room) {
        int owner = masters().indexOf(cluster.masterOf(keyOf(room)));
        return masters().get((owner + 1) % masters().size());
    }

    private static void assertSubscribedOnce(Room room) {
        RedisServer owner = cluster.masterOf(keyOf(room));
        Timeouts.await("one subscription to " + room + " at its node")
                .until(() -> subscribers(owner, room) == 1 && subscribers(room) == 1);
    }

    /** Returns the subscriptions to a room at all nodes together. */
    private static long subscribers(Room room) {
        return cluster.nodes().stream().mapToLong(node -> subscribers(node, room)).sum();
    }

    private static long subscribers(RedisServer node, Room room) {
        return cluster.subscribers(node, "parley:{" + room + "}:live");
    }

    private static long shardChannels() {
        return cluster.isSharded()
                ? masters().stream()
                        .mapToLong(n -> n.command("PUBSUB", "SHARDCHANNELS").items().size())
                        .sum()
                : 0;
    }

    /** Returns the connections of brokers to all nodes. */
    private static long connections() {
        return cluster.nodes().stream()
                .flatMap(node -> node.command("CLIENT", "LIST").text().lines())
                .filter(line -> !line.matches(".* flags=\\w*[SM]\\w* .*"))
                .filter(line -> !line.contains(" cmd=client"))
                .count();
    }
}
