package dev.parley.broker.memory;

import static dev.parley.broker.BlockingBroker.ROOM;
import static dev.parley.broker.BlockingBroker.offsets;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.parley.broker.BlockingBroker;
import dev.parley.broker.Broker;
import dev.parley.broker.HistorySettings;
import dev.parley.broker.IdempotencyKeyReused;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.broker.RecordingListener;
import dev.parley.broker.RoomListeners;
import dev.parley.message.EventId;
import dev.parley.message.EventType;
import dev.parley.message.Message;
import dev.parley.message.Room;
import dev.parley.testsupport.SettableClock;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Which messages the memory broker forgets to stay below its ceiling. */
class MemoryCeilingTest {

    private static final Room QUIET = new Room("quiet");

    /** A message with this text takes about 2,200 bytes. */
    private static final String LONG = "x".repeat(1_000);

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

    @Test
    void aboveTheCeiling_roomsUsedLeastRecentlyAreForgotten_andStartANewEpoch() {
        BlockingBroker broker = withCeiling(100_000);
        EventId quiet = broker.publishText(QUIET, LONG);

        publishLong(broker, 44);

        assertThat(pageOf(broker, QUIET).epoch()).isNotEqualTo(quiet.epoch());
        assertThat(pageOf(broker, QUIET).newest()).isZero();
        assertThat(pageOf(broker, ROOM).oldest()).isOne();
    }

    @Test
    void readingMadeUpRooms_removesNoMessages() {
        BlockingBroker broker = withCeiling(100_000);
        EventId quiet = broker.publishText(QUIET, LONG);

        for (int i = 0; i < 50_000; i++) {
            pageOf(broker, new Room("made-up-" + i));
        }
        broker.publishText("x");

        assertThat(pageOf(broker, QUIET).tail()).isEqualTo(quiet);
        assertThat(pageOf(broker, QUIET).messages()).hasSize(1);
    }

    @Test
    void publishingInMadeUpRooms_removesNoMessagesOfRoomsThatWereRead() {
        BlockingBroker broker = withCeiling(100_000);
        Room readBefore = new Room("read-before");
        String epoch = pageOf(broker, readBefore).epoch();
        EventId quiet = broker.publishText(QUIET, LONG);
        pageOf(broker, QUIET);
        EventId first = broker.publishText(readBefore, LONG);

        for (int i = 0; i < 1_000; i++) {
            broker.publishText(new Room("made-up-" + i), LONG);
        }

        assertThat(pageOf(broker, QUIET).tail()).isEqualTo(quiet);
        assertThat(first).isEqualTo(new EventId(epoch, 1));
        assertThat(pageOf(broker, readBefore).messages()).hasSize(1);
        assertThat(pageOf(broker, new Room("made-up-0")).newest()).isZero();
        assertThat(pageOf(broker, new Room("made-up-999")).newest()).isOne();
    }

    @Test
    void singleRoomAboveTheCeiling_forgetsItsOldestMessages() {
        BlockingBroker broker = withCeiling(100_000);

        EventId last = publishLong(broker, 500);

        Page page = broker.readAfter(0, 1_000);
        assertThat(page.epoch()).isEqualTo(last.epoch());
        assertThat(page.newest()).isEqualTo(500);
        assertThat(page.oldest()).isGreaterThan(450);
        assertThat(offsets(page)).containsExactlyElementsOf(offsets(page.oldest(), 500));
    }

    /** A letter with them takes about 650 bytes. */
    @Test
    void senderAndEventTypeCount() {
        BlockingBroker broker = withCeiling(100_000);
        var longest =
                new Message(
                        ROOM,
                        "x",
                        Optional.of("\uffff".repeat(Message.MAX_FROM)),
                        Optional.of(new EventType("\uffff".repeat(64))),
                        broker.clock().instant());

        for (int i = 0; i < 400; i++) {
            broker.publish(longest);
        }

        assertThat(broker.readAfter(0, 1_000).messages()).hasSizeBetween(100, 200);
    }

    @Test
    void roomThatWasReadOnce_andGrows_costsOnlyItself() {
        BlockingBroker broker = withCeiling(100_000);
        EventId lobby = broker.publishText(LONG);
        Room evil = new Room("evil");
        EventId quiet = broker.publishText(QUIET, LONG);
        pageOf(broker, QUIET);
        pageOf(broker, evil);

        for (int i = 0; i < 1_000; i++) {
            broker.publishText(evil, LONG);
        }

        assertThat(pageOf(broker, ROOM).tail()).as("has a reader").isEqualTo(lobby);
        assertThat(pageOf(broker, ROOM).messages()).hasSize(1);
        assertThat(pageOf(broker, QUIET).tail()).as("was read").isEqualTo(quiet);
        assertThat(pageOf(broker, evil).newest()).isEqualTo(1_000);
        assertThat(pageOf(broker, evil).oldest()).isGreaterThan(950);
    }

    @Test
    void manyRoomsThatWereReadOnce_costNoRoomWithReadersItsMessages() {
        BlockingBroker broker = withCeiling(100_000);
        EventId lobby = broker.publishText(LONG);

        for (int i = 0; i < 1_000; i++) {
            Room madeUp = new Room("made-up-" + i);
            pageOf(broker, madeUp);
            broker.publishText(madeUp, LONG);
        }

        assertThat(pageOf(broker, ROOM).tail()).isEqualTo(lobby);
        assertThat(pageOf(broker, ROOM).messages()).hasSize(1);
    }

    @Test
    void receiptsOfARoom_costOnlyItself() {
        BlockingBroker broker = withCeiling(100_000);
        EventId lobby = broker.publishText(LONG);
        Room evil = new Room("evil");

        for (int i = 0; i < 1_000; i++) {
            broker.publish(evil, "x", "key-" + i);
        }

        assertThat(pageOf(broker, ROOM).tail()).isEqualTo(lobby);
        assertThat(pageOf(broker, evil).newest()).isEqualTo(1_000);
    }

    @Test
    void receiptsOfARoomThatKeepsOneMessage_costOnlyItself() {
        BlockingBroker broker = withCeiling(100_000, HistorySettings.DEFAULT.withSize(1));
        EventId lobby = broker.publishText(LONG);
        EventId quiet = broker.publishText(QUIET, LONG);
        pageOf(broker, QUIET);
        Room evil = new Room("evil");
        pageOf(broker, evil);

        for (int i = 0; i < 1_000; i++) {
            broker.publish(evil, "x", "key-" + i);
        }

        assertThat(pageOf(broker, ROOM).tail()).as("has a reader").isEqualTo(lobby);
        assertThat(pageOf(broker, QUIET).tail()).as("was read").isEqualTo(quiet);
        assertThat(broker.publish(evil, "x", "key-999").duplicate()).as("last receipt").isTrue();
        assertThat(broker.publish(evil, "x", "key-0").duplicate()).as("first receipt").isFalse();
    }

    @Test
    void receiptsOfMessagesThatAreGone_areForgottenBeforeMessages() {
        BlockingBroker broker = withCeiling(100_000, HistorySettings.DEFAULT.withSize(2));

        for (int i = 0; i < 1_000; i++) {
            broker.publish("x", "key-" + i);
        }

        assertThat(offsets(broker.readAfter(0, 10))).containsExactly(999L, 1_000L);
        assertThat(broker.publish("x", "key-900").duplicate()).isTrue();
    }

    @Test
    void receiptsThatExpired_takeNoMemory_whenAUsedKeyIsRefused() {
        BlockingBroker broker = withCeiling(500_000);
        EventId quiet = broker.publishText(QUIET, LONG);
        for (int i = 0; i < 400; i++) {
            broker.publish("x", "key-" + i);
        }
        broker.clock().advance(HistorySettings.DEFAULT.receipts().minusSeconds(1));
        broker.publish("x", "used");
        broker.clock().advance(Duration.ofSeconds(1));

        assertThatExceptionOfType(IdempotencyKeyReused.class)
                .isThrownBy(() -> broker.publish("y", "used"));
        publishLong(broker, 150);

        assertThat(pageOf(broker, QUIET).tail()).isEqualTo(quiet);
    }

    @Test
    void messageAboveTheCeiling_isDelivered_andTheNewestStays() {
        BlockingBroker broker = withCeiling(1_000);

        publishLong(broker, 3);

        assertThat(broker.received().all()).hasSize(3);
        assertThat(offsets(broker.readAfter(0, 10))).containsExactly(3L);
    }

    /** All publishes wait for one lock while rooms are visited. */
    @Test
    void publishAtTheCeiling_visitsFewRooms_howeverManyHaveReaders() {
        var listeners = new CountingListeners();
        BlockingBroker broker = withCeiling(9_090_000, HistorySettings.DEFAULT, listeners);
        List<Room> small = IntStream.range(0, 10_000).mapToObj(i -> new Room("r-" + i)).toList();
        small.forEach(broker::subscribe);
        small.forEach(room -> broker.publishText(room, "x"));
        small.forEach(room -> pageOf(broker, room));
        Room large = new Room("large");
        broker.subscribe(large);
        for (int i = 0; i < 2_400; i++) {
            broker.publish(large, "x", "key-" + i);
        }
        Room evil = new Room("evil");
        broker.publishText(evil, LONG.repeat(60));
        int before = listeners.lookUps;

        for (int i = 0; i < 5; i++) {
            broker.publishText(evil, LONG.repeat(60));
        }

        assertThat(listeners.lookUps - before).isLessThan(50);
        assertThat(small)
                .allSatisfy(room -> assertThat(pageOf(broker, room).messages()).hasSize(1));
        assertThat(pageOf(broker, large).oldest()).isGreaterThan(600);
        assertThat(pageOf(broker, evil).newest()).isEqualTo(6);
    }

    @Test
    void roomsWithReaders_areShortened_theLargestFirst() {
        BlockingBroker broker = withCeiling(100_000);
        List<Room> rooms = Stream.of("twenty", "fifteen", "five").map(Room::new).toList();
        rooms.forEach(broker::subscribe);
        for (int i = 0; i < 20; i++) {
            broker.publishText(rooms.get(0), LONG);
        }
        for (int i = 0; i < 15; i++) {
            broker.publishText(rooms.get(1), LONG);
        }
        for (int i = 0; i < 5; i++) {
            broker.publishText(rooms.get(2), LONG);
        }

        // About 88,000 bytes are taken; each of these takes about 10,200.
        for (int i = 0; i < 4; i++) {
            Room room = new Room("more-" + i);
            broker.subscribe(room);
            broker.publishText(room, LONG.repeat(5));
        }

        assertThat(pageOf(broker, rooms.get(0)).oldest()).isBetween(10L, 11L);
        assertThat(pageOf(broker, rooms.get(1)).oldest()).isBetween(5L, 7L);
        assertThat(pageOf(broker, rooms.get(2)).oldest()).isOne();
    }

    @Test
    void roomThatItsLastReaderHasLeft_isForgottenBeforeRoomsWithReaders() {
        BlockingBroker broker = withCeiling(100_000);
        EventId quiet = broker.publishText(QUIET, LONG);
        pageOf(broker, QUIET);
        RecordingListener reader = broker.subscribe(QUIET);
        publishLong(broker, 50);
        assertThat(pageOf(broker, QUIET).tail()).as("with a reader").isEqualTo(quiet);

        broker.unsubscribe(QUIET, reader);
        Room other = new Room("other");
        broker.subscribe(other);
        broker.publishText(other, LONG.repeat(40));

        assertThat(pageOf(broker, QUIET).newest()).as("without a reader").isZero();
    }

    @Test
    void belowTheCeiling_theBytesAreShown_andNothingCountsAsForgotten() {
        BlockingBroker broker = withCeiling(100_000);
        assertThat(bytes()).isZero();

        publishLong(broker, 10);

        assertThat(bytes()).isBetween(15_000.0, 50_000.0);
        assertNothingForgotten();
    }

    @Test
    void messagesAndReceiptsThatARoomForgets_areCounted() {
        BlockingBroker broker = withCeiling(100_000);

        publishWithKeys(broker, ROOM, 200);

        int retained = broker.readAfter(0, 1_000).messages().size();
        assertThat(bytes()).isBetween(90_000.0, 100_000.0);
        assertThat(forgotten("rooms")).isZero();
        assertThat(forgotten("messages")).isEqualTo(200 - retained);
        assertThat(forgotten("receipts")).isEqualTo(200 - retained);
    }

    @Test
    void roomsThatAreForgotten_areCountedWithTheirMessagesAndReceipts() {
        BlockingBroker broker = withCeiling(100_000);
        publishWithKeys(broker, QUIET, 20);

        publishLong(broker, 25);

        assertThat(pageOf(broker, QUIET).newest()).isZero();
        assertThat(forgotten("rooms")).isOne();
        assertThat(forgotten("messages")).isEqualTo(20);
        assertThat(forgotten("receipts")).isEqualTo(20);
    }

    @Test
    void largestRoomWithReaders_isCounted_whetherItIsShortenedOrForgotten() {
        BlockingBroker broker = withCeiling(100_000);
        broker.subscribe(QUIET);
        broker.publishText(QUIET, LONG.repeat(10));
        broker.publishText(QUIET, LONG.repeat(30));
        pageOf(broker, QUIET);

        publishWithReader(broker, new Room("fifteen"), LONG.repeat(15));

        assertThat(forgotten("messages")).as("shortened").isOne();
        assertThat(forgotten("rooms")).as("shortened").isZero();

        publishWithReader(broker, new Room("twenty-five"), LONG.repeat(25));

        assertThat(pageOf(broker, QUIET).newest()).isZero();
        assertThat(forgotten("messages")).as("forgotten").isEqualTo(2);
        assertThat(forgotten("rooms")).as("forgotten").isOne();
    }

    @Test
    void messagesThatHadEnded_areDropped_andDoNotCountAsForgotten() {
        BlockingBroker broker = withCeiling(100_000);
        publishWithKeys(broker, QUIET, 20);
        broker.clock().advance(HistorySettings.DEFAULT.age());

        publishLong(broker, 25);

        assertThat(pageOf(broker, QUIET).newest()).as("keeps its count").isEqualTo(20);
        assertNothingForgotten();
    }

    @Test
    void roomWhoseMessagesHadEnded_andThatIsForgotten_countsAsARoomOnly() {
        BlockingBroker broker = withCeiling(100_000);
        publishWithKeys(broker, QUIET, 20);
        broker.clock().advance(HistorySettings.DEFAULT.age());

        broker.publishText(LONG.repeat(50));

        assertThat(pageOf(broker, QUIET).newest()).isZero();
        assertThat(forgotten("rooms")).isOne();
        assertThat(forgotten("messages")).isZero();
        assertThat(forgotten("receipts")).isZero();
    }

    @Test
    void receiptsThatHadEnded_costTheirRoomNoMessages_whenPublishesHaveNoKeys() {
        BlockingBroker broker = withCeiling(100_000);
        publishWithKeys(broker, ROOM, 30);
        broker.clock().advance(HistorySettings.DEFAULT.receipts());

        publishLong(broker, 10);

        assertThat(broker.readAfter(0, 1_000).messages()).hasSize(40);
        assertNothingForgotten();
    }

    @Test
    void receiptsThatHadEnded_costARoomWithoutReadersNoMessages() {
        BlockingBroker broker = withCeiling(100_000);
        publishWithKeys(broker, QUIET, 30);
        pageOf(broker, QUIET);
        broker.clock().advance(HistorySettings.DEFAULT.receipts());

        broker.publishText(LONG.repeat(9));

        assertThat(pageOf(broker, QUIET).oldest()).isOne();
        assertThat(pageOf(broker, QUIET).newest()).isEqualTo(30);
        assertNothingForgotten();
    }

    @Test
    void receiptsThatHadEnded_costTheLargestRoomNoMessages() {
        BlockingBroker broker = withCeiling(100_000);
        broker.subscribe(QUIET);
        publishWithKeys(broker, QUIET, 30);
        broker.clock().advance(HistorySettings.DEFAULT.receipts());

        publishWithReader(broker, new Room("ten"), LONG.repeat(10));

        assertThat(pageOf(broker, QUIET).oldest()).isOne();
        assertNothingForgotten();
    }

    @Test
    void receiptsThatHadEnded_takeNoMemory_onceTheirRoomIsRead() {
        BlockingBroker broker = withCeiling(100_000);
        publishWithKeys(broker, QUIET, 30);
        double before = bytes();
        broker.clock().advance(HistorySettings.DEFAULT.receipts());

        pageOf(broker, QUIET);

        assertThat(bytes()).isBetween(before - 20_000, before - 15_000);
    }

    private void assertNothingForgotten() {
        assertThat(forgotten("rooms")).isZero();
        assertThat(forgotten("messages")).isZero();
        assertThat(forgotten("receipts")).isZero();
    }

    private static void publishWithKeys(BlockingBroker broker, Room room, int count) {
        for (int i = 0; i < count; i++) {
            broker.publish(room, LONG, "key-" + i);
        }
    }

    private static void publishWithReader(BlockingBroker broker, Room room, String text) {
        broker.subscribe(room);
        broker.publishText(room, text);
    }

    private double bytes() {
        return meters.get("parley.memory").gauge().value();
    }

    private double forgotten(String kind) {
        return meters.get("parley.memory.forgotten").tag("kind", kind).counter().count();
    }

    private static final class CountingListeners extends RoomListeners {

        private int lookUps;

        @Override
        public List<Broker.Listener> of(Room room) {
            lookUps++;
            return super.of(room);
        }
    }

    private BlockingBroker withCeiling(long bytes) {
        return withCeiling(bytes, HistorySettings.DEFAULT);
    }

    private BlockingBroker withCeiling(long bytes, HistorySettings history) {
        return withCeiling(bytes, history, new RoomListeners());
    }

    private BlockingBroker withCeiling(
            long bytes, HistorySettings history, RoomListeners listeners) {
        SettableClock clock = SettableClock.stoppedNow();
        return BlockingBroker.open(
                new MemoryBroker(
                        history.ofAllRooms(), bytes, clock, clock::nanoTime, meters, listeners),
                clock);
    }

    private static Page pageOf(BlockingBroker broker, Room room) {
        return broker.read(room, new Range.After(0, 10));
    }

    /** Publishes long texts, and returns the last id. */
    private static EventId publishLong(BlockingBroker broker, int count) {
        for (int i = 1; i < count; i++) {
            broker.publishText(LONG);
        }
        return broker.publishText(LONG);
    }
}
