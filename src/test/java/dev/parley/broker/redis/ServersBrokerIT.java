package dev.parley.broker.redis;

import static dev.parley.broker.BlockingBroker.ROOM;
import static dev.parley.broker.BlockingBroker.offsets;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.parley.broker.BlockingBroker;
import dev.parley.broker.Broker;
import dev.parley.broker.Broker.Receipt;
import dev.parley.broker.BrokerContract;
import dev.parley.broker.BrokerState;
import dev.parley.broker.BrokerUnavailable;
import dev.parley.broker.HistorySettings;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.broker.RoomHistories;
import dev.parley.message.EventId;
import dev.parley.message.Room;
import dev.parley.redis.RedisSettings;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SettableClock;
import dev.parley.testsupport.Timeouts;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The contract on two servers; what is on which server; and what becomes of positions when rooms
 * move to another server and back.
 */
class ServersBrokerIT implements BrokerContract {

    private static final String SERVERS = "parley:{:servers}";

    @AutoClose private static RedisServer a;
    @AutoClose private static RedisServer b;
    @AutoClose private static RedisServer c;

    @AutoClose private final RedisBrokers brokers = new RedisBrokers();

    @BeforeAll
    static void startServers() {
        a = RedisServer.start();
        b = RedisServer.start();
        c = RedisServer.start();
    }

    @BeforeEach
    void removeAllKeys() {
        Stream.of(a, b, c).forEach(server -> server.command("FLUSHALL"));
    }

    @AfterEach
    void resume() {
        b.resume();
    }

    @Override
    public Broker create(RoomHistories histories, SettableClock clock) {
        return brokers.create(servers("a", "b"), RedisSettings.QUICK, histories);
    }

    // What is on which server.

    @Test
    void everyRoom_isOnTheServerThatTheListNames_andOnNoOther() {
        BlockingBroker broker = open();

        for (String server : List.of("a", "b")) {
            Room room = roomOn(server, "a,b");
            broker.publishText(room, "hi");

            assertThat(keysOf(room, a)).isEqualTo(server.equals("a"));
            assertThat(keysOf(room, b)).isEqualTo(server.equals("b"));
        }
    }

    @Test
    void plainText_onAnyServer_arrivesOnce() {
        BlockingBroker broker = open();

        a.command("PUBLISH", "chat", "by a");
        broker.receivedInLobby().awaitPlainText("by a");
        b.command("PUBLISH", "chat", "by b");
        broker.receivedInLobby().awaitPlainText("by b");
        broker.unsubscribe(Room.LOBBY, broker.receivedInLobby());
        var later = broker.subscribe(Room.LOBBY);
        a.command("PUBLISH", "chat", "later, by a");
        later.awaitPlainText("later, by a");
        b.command("PUBLISH", "chat", "later, by b");
        later.awaitPlainText("later, by b");

        assertThat(broker.receivedInLobby().plainTexts()).containsExactly("by a", "by b");
        assertThat(later.plainTexts()).containsExactly("later, by a", "later, by b");
    }

    @Test
    void metersOfEachServer_haveItsName_andNoMeterHasARoom() {
        BlockingBroker broker = open();
        broker.publishText("hi");
        broker.received().await(1);

        String here = ServerList.parse("a,b").serverOf(ROOM);
        assertThat(received(here)).isOne();
        assertThat(received(here.equals("a") ? "b" : "a")).isZero();
        for (String name : List.of("parley.subscription.up", "parley.redis.may.evict")) {
            assertThat(brokers.meters().find(name).meters())
                    .extracting(meter -> meter.getId().getTag("server"))
                    .containsExactlyInAnyOrder("a", "b");
        }
        assertThat(brokers.meters().getMeters())
                .flatExtracting(meter -> meter.getId().getTags())
                .noneMatch(tag -> tag.getValue().equals(ROOM.name()));
    }

    private double received(String server) {
        return brokers.meters()
                .get("parley.messages.received")
                .tag("server", server)
                .counter()
                .count();
    }

    // A server is away.

    @Test
    void serverThatHangs_failsItsRoomsAlone_andIsNamed() {
        var impatient =
                RedisSettings.QUICK
                        .withTimeout(Duration.ofSeconds(3))
                        .withProbeTimeout(Duration.ofSeconds(5));
        ServersBroker servers =
                brokers.create(servers("a", "b"), impatient, HistorySettings.DEFAULT.ofAllRooms());
        var broker = BlockingBroker.open(servers, SettableClock.stoppedNow());
        Room onA = roomOn("a", "a,b");
        Room onB = roomOn("b", "a,b");
        var listener = broker.subscribe(onB);
        EventId before = broker.publishText(onB, "before");
        listener.await(1);

        b.pause();

        assertThatExceptionOfType(BrokerUnavailable.class)
                .isThrownBy(() -> broker.publishText(onB, "lost"))
                .withMessageStartingWith("server b: ");
        Timeouts.await("b to be named").until(() -> silent(servers).containsKey("b"));
        assertThat(silent(servers)).containsOnlyKeys("b");
        assertThat(broker.publishText(onA, "meanwhile").offset()).isOne();

        b.resume();

        Timeouts.await("b to be back").until(() -> silent(servers).isEmpty());
        assertThat(broker.read(onB, new Range.After(0, 10)).continues(before)).isTrue();
    }

    @Test
    void brokerThatStarts_waitsForEveryServer_andThenGoesOnWithoutOne() {
        b.pause();
        var impatient =
                RedisSettings.QUICK
                        .withTimeout(Duration.ofMillis(500))
                        .withProbeTimeout(Duration.ofSeconds(5));
        ServersBroker servers =
                brokers.create(servers("a", "b"), impatient, HistorySettings.DEFAULT.ofAllRooms());

        assertThat(servers.state().isUp()).isFalse();
        Timeouts.await("up without b").until(() -> servers.state().isUp());

        assertThat(silent(servers)).containsOnlyKeys("b");
        assertThat(((BrokerState.Up) servers.state()).publishingProblem()).isEmpty();
    }

    @Test
    void noServer_isDown_andEachIsNamed() {
        ServersBroker servers =
                brokers.create(
                        Map.of("a", "redis://127.0.0.1:1", "b", "redis://127.0.0.1:1"),
                        RedisSettings.QUICK.withProbeTimeout(Duration.ofSeconds(1)),
                        HistorySettings.DEFAULT.ofAllRooms());

        Timeouts.await("both reasons")
                .until(
                        () ->
                                servers.state() instanceof BrokerState.Down down
                                        && down.reason()
                                                .contains(
                                                        "server a: no connection to Redis: Connection")
                                        && down.reason()
                                                .contains(
                                                        "server b: no connection to Redis: Connection"));
    }

    private static Map<String, String> silent(Broker broker) {
        return broker.state() instanceof BrokerState.Up up ? up.silent() : Map.of("all", "silent");
    }

    // The list changes.

    @Test
    void roomThatStays_keepsItsEpoch_whenAServerIsAdded() {
        Room room = roomOn("a", "a,b,c");
        EventId last = on("a", "b").publishText(room, "1");

        BlockingBroker later = on("a", "b", "c");

        assertThat(later.read(room, new Range.After(0, 10)).continues(last)).isTrue();
        assertThat(later.publishText(room, "2")).isEqualTo(new EventId(last.epoch(), 2));
    }

    @Test
    void roomOfTheOnlyServer_thatStaysThere_keepsItsEpoch_whenAListBegins() {
        Room room = roomOn("a", "a,b");
        EventId last = brokers.open(a.uri()).publishText(room, "1");

        BlockingBroker later = on("a", "b");

        assertThat(later.read(room, new Range.After(0, 10)).continues(last)).isTrue();
        assertThat(later.publishText(room, "2")).isEqualTo(new EventId(last.epoch(), 2));
    }

    @Test
    void roomThatMoves_isAnotherLog_inWhichNoOldPositionContinues() {
        Room room = movingTo("c", "a,b", "a,b,c");
        BlockingBroker former = on("a", "b");
        EventId empty = former.read(room, new Range.After(0, 10)).tail();
        EventId last = former.publishText(room, "1");

        BlockingBroker present = on("a", "b", "c");

        assertNoneContinues(present, room, empty, last);
        present.publishText(room, "2");
        assertNoneContinues(present, room, empty, last);
    }

    /** A reader that was away all the time has a position that the log of before still has. */
    @Test
    void roomThatMovesBack_isInAnotherEpoch_andNoPositionOfBeforeContinues() {
        Room room = movingTo("c", "a,b", "a,b,c");
        BlockingBroker former = on("a", "b");
        EventId empty = former.read(room, new Range.After(0, 10)).tail();
        EventId last = former.publishText(room, "1");
        EventId elsewhere = on("a", "b", "c").publishText(room, "missed");

        BlockingBroker present = on("a", "b");

        assertNoneContinues(present, room, empty, last, elsewhere);
        EventId next = present.publishText(room, "2");
        assertThat(next.offset()).isEqualTo(2);
        assertNoneContinues(present, room, empty, last, elsewhere);
        Page page = present.read(room, new Range.After(0, 10));
        assertThat(offsets(page)).containsExactly(1L, 2L);
        assertThat(page.messages().get(1).id()).isEqualTo(next);
        assertThat(page.continues(next)).isTrue();
    }

    @Test
    void emptyRoomThatMovesBack_isInAnotherEpoch() {
        Room room = movingTo("c", "a,b", "a,b,c");
        EventId empty = on("a", "b").read(room, new Range.After(0, 10)).tail();
        EventId elsewhere = on("a", "b", "c").publishText(room, "missed");

        assertNoneContinues(on("a", "b"), room, empty, elsewhere);
    }

    @Test
    void roomThatMovedBack_isDelivered_repeated_andEnded_underItsNewEpoch() {
        Room room = movingTo("c", "a,b", "a,b,c");
        on("a", "b").publishText(room, "1");
        on("a", "b", "c");
        BlockingBroker present = on("a", "b");
        BlockingBroker otherPod = on("a", "b");
        var listener = otherPod.subscribe(room);

        Receipt receipt = present.publish(room, "2", "key");

        assertThat(listener.await(1).get(0).id()).isEqualTo(receipt.id());
        assertThat(otherPod.publish(room, "2", "key")).isEqualTo(new Receipt(receipt.id(), true));
        present.endEpoch(room, "other");
        assertThat(otherPod.read(room, new Range.After(0, 10)).continues(receipt.id())).isTrue();
        present.endEpoch(room, receipt.id().epoch());
        assertThat(otherPod.read(room, new Range.After(0, 10)).continues(receipt.id())).isFalse();
    }

    @Test
    void roomThatHasMovedBack_keepsItsEpoch_throughLaterListsInWhichItStays() {
        Room room =
                Stream.iterate(1, i -> i + 1)
                        .map(i -> new Room("room" + i))
                        .filter(r -> !at("a,b", r).equals("c") && at("a,b,c", r).equals("c"))
                        .filter(r -> at("a,b,d", r).equals(at("a,b", r)))
                        .findFirst()
                        .orElseThrow();
        on("a", "b").publishText(room, "1");
        on("a", "b", "c");
        EventId back = on("a", "b").publishText(room, "2");
        try (RedisServer d = RedisServer.start()) {
            Map<String, String> more = new TreeMap<>(servers("a", "b"));
            more.put("d", d.uri());

            BlockingBroker present = brokers.open(more);

            assertThat(present.read(room, new Range.After(0, 10)).continues(back)).isTrue();
        }
    }

    /** A server remembers 256 lists. */
    @Test
    void roomThatStays_keepsItsEpoch_whenMoreListsFollowThanAreRemembered() {
        Room room =
                Stream.iterate(1, i -> i + 1)
                        .map(i -> new Room("room" + i))
                        .filter(r -> at("a,b", r).equals("a") && at("a,b,c", r).equals("a"))
                        .findFirst()
                        .orElseThrow();
        on("a", "b").publishText(room, "1");
        String lists =
                IntStream.rangeClosed(1, 256)
                        .mapToObj(i -> i + ":" + (i % 2 == 0 ? "a,b,c" : "a,b"))
                        .collect(Collectors.joining(" "));
        a.command("HSET", "parley:{:servers}", "generations", lists);
        EventId before = on("a", "b").publishText(room, "2");

        for (int i = 0; i < 3; i++) {
            BlockingBroker present = on("a", "b", "c");
            assertThat(present.read(room, new Range.After(0, 10)).continues(before)).isTrue();
            present = on("a", "b");
            assertThat(present.read(room, new Range.After(0, 10)).continues(before)).isTrue();
        }
    }

    /** What the documentation asks for when a server comes back that was not on the list. */
    @Test
    void serverThatComesBackUnderAnotherName_continuesNoPositionOfBefore() {
        Room room = roomOn("c", "b,c");
        EventId empty = brokers.open(Map.of("a", a.uri(), "b", b.uri())).publishText(room, "1");
        Map<String, String> renamed = Map.of("b", b.uri(), "c", a.uri());

        BlockingBroker present = brokers.open(renamed);

        assertNoneContinues(present, room, empty);
    }

    /**
     * During a rolling upgrade that is taken back, pods that had the old list all the time learn
     * that another one was in force.
     */
    @Test
    void podThatKeptTheList_learnsThatAnotherWasInForceMeanwhile() {
        Room room = movingTo("c", "a,b", "a,b,c");
        BlockingBroker kept = on("a", "b");
        EventId last = kept.publishText(room, "1");
        var listener = kept.subscribe(room);
        EventId elsewhere = on("a", "b", "c").publishText(room, "missed");

        BlockingBroker back = on("a", "b");

        Timeouts.await("the kept pod to look")
                .until(() -> !kept.read(room, new Range.After(0, 10)).continues(last));
        assertNoneContinues(kept, room, last, elsewhere);
        assertThat(kept.read(room, new Range.After(0, 10)))
                .usingRecursiveComparison()
                .ignoringFields("readAt")
                .isEqualTo(back.read(room, new Range.After(0, 10)));
        listener.awaitInterruptions(1);
    }

    /**
     * A server that was off the list, and comes back with its data: the others remember a list
     * without it, which the pods see when they look.
     */
    @Test
    void serverThatComesBackWithItsData_isRecognised_byWhatTheOthersRemember() {
        Room room = roomOn("c", "a,b,c");
        BlockingBroker former = on("a", "b", "c");
        EventId last = former.publishText(room, "1");
        for (RedisServer server : List.of(a, b, c)) {
            Timeouts.await("peers")
                    .until(() -> server.command("HGET", SERVERS, "peers").toString().contains(":"));
        }
        EventId elsewhere = on("a", "b").publishText(room, "missed");

        BlockingBroker present = on("a", "b", "c");

        Timeouts.await("a look")
                .until(() -> !present.read(room, new Range.After(0, 10)).continues(last));
        assertNoneContinues(present, room, last, elsewhere);
        EventId next = present.publishText(room, "2");
        BlockingBroker otherPod = on("a", "b", "c");
        awaitLook();
        assertThat(otherPod.read(room, new Range.After(0, 10)).continues(next)).isTrue();
        assertNoneContinues(otherPod, room, last, elsewhere);
    }

    /** What the others remember of lists before it came is not held against a new server. */
    @Test
    void serverThatIsNew_keepsItsEpochs_whenThePodsLook() {
        Room room = roomOn("c", "a,b,c");
        on("a", "b");
        awaitLook();
        BlockingBroker present = on("a", "b", "c");
        EventId first = present.publishText(room, "1");

        awaitLook();

        assertThat(present.read(room, new Range.After(0, 10)).continues(first)).isTrue();
        assertThat(c.command("HGET", SERVERS, "generations").text()).isEqualTo("1:a,b,c");
    }

    /** Waits until every broker has looked at every server twice. */
    private static void awaitLook() {
        for (RedisServer server : List.of(a, b)) {
            server.command("CONFIG", "RESETSTAT");
        }
        for (RedisServer server : List.of(a, b)) {
            Timeouts.await("looks").until(() -> calls(server, "hmget") >= 20);
        }
    }

    private static long calls(RedisServer server, String command) {
        return server.command("INFO", "commandstats")
                .text()
                .lines()
                .filter(line -> line.startsWith("cmdstat_" + command + ":"))
                .mapToLong(line -> Long.parseLong(line.replaceAll(".*:calls=(\\d+),.*", "$1")))
                .sum();
    }

    private static void assertNoneContinues(BlockingBroker broker, Room room, EventId... known) {
        Page page = broker.read(room, new Range.After(0, 10));
        assertThat(known).allSatisfy(id -> assertThat(page.continues(id)).as("%s", id).isFalse());
    }

    private BlockingBroker on(String... names) {
        return brokers.open(servers(names));
    }

    private static Map<String, String> servers(String... names) {
        Map<String, RedisServer> all = Map.of("a", a, "b", b, "c", c);
        Map<String, String> uris = new TreeMap<>();
        Stream.of(names).forEach(name -> uris.put(name, all.get(name).uri()));
        return uris;
    }

    private static String at(String list, Room room) {
        return ServerList.parse(list).serverOf(room);
    }

    private static Room roomOn(String server, String list) {
        return rooms().filter(room -> at(list, room).equals(server)).findFirst().orElseThrow();
    }

    private static Room movingTo(String server, String before, String after) {
        return rooms().filter(
                        room -> !at(before, room).equals(server) && at(after, room).equals(server))
                .findFirst()
                .orElseThrow();
    }

    private static Stream<Room> rooms() {
        return Stream.iterate(1, i -> i + 1).map(i -> new Room("room" + i));
    }

    private static boolean keysOf(Room room, RedisServer server) {
        return server.command("EXISTS", "parley:{" + room.name() + "}:head").number() == 1;
    }
}
