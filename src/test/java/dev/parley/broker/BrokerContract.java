package dev.parley.broker;

import static dev.parley.broker.BlockingBroker.ROOM;
import static dev.parley.broker.BlockingBroker.offsets;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.parley.broker.Broker.Receipt;
import dev.parley.message.EventId;
import dev.parley.message.EventType;
import dev.parley.message.Message;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import dev.parley.settings.RoomSettingsTest;
import dev.parley.testsupport.SettableClock;
import dev.parley.testsupport.Timeouts;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/**
 * What every broker has to do: a room's log and what it retains, pages, publishing, and what a
 * listener receives.
 */
public interface BrokerContract {

    /**
     * Makes a broker without messages.
     *
     * @param clock the broker's time, unless it uses another one, as Redis does
     */
    Broker create(RoomHistories histories, SettableClock clock);

    default BlockingBroker open() {
        return open(HistorySettings.DEFAULT);
    }

    default BlockingBroker open(HistorySettings history) {
        return open(history.ofAllRooms());
    }

    default BlockingBroker open(RoomHistories histories) {
        SettableClock clock = SettableClock.stoppedNow();
        return BlockingBroker.open(create(histories, clock), clock);
    }

    // A room's log.

    Room OTHER = new Room("other");

    @Test
    default void offsets_countFromOneWithoutHoles_separatelyInEachRoom() {
        BlockingBroker broker = open();

        List<EventId> room = List.of(broker.publishText("a"), broker.publishText("b"));
        EventId other = broker.publishText(OTHER, "c");
        EventId third = broker.publishText("d");

        assertThat(room).extracting(EventId::offset).containsExactly(1L, 2L);
        assertThat(third).isEqualTo(new EventId(room.get(0).epoch(), 3));
        assertThat(other.offset()).isEqualTo(1);
        assertThat(other.epoch()).isNotEqualTo(third.epoch());
    }

    @Test
    default void message_isReadAndDelivered_asItWasPublished() {
        BlockingBroker broker = open();
        var message =
                new Message(
                        ROOM,
                        " é\u0000\n\n\"\\ \uD83D\uDE00 {\"a\":1} ",
                        Optional.of("Zoë"),
                        Optional.of(new EventType("news")),
                        broker.clock().instant());

        broker.publish(message);

        List<StoredMessage> read = broker.readAfter(0, 10).messages();
        assertThat(read)
                .singleElement()
                .extracting(StoredMessage::message)
                .usingRecursiveComparison()
                .ignoringFields("at")
                .isEqualTo(message);
        assertThat(broker.received().await(1)).isEqualTo(read);
    }

    @Test
    default void emptyRoom_hasAnEpochThatStays_soThatAReaderOfItCanResume() {
        BlockingBroker broker = open();

        Page page = broker.readAfter(0, 10);

        assertThat(page.messages()).isEmpty();
        assertThat(page.newest()).isZero();
        assertThat(page.oldest()).isOne();
        assertThat(page.continues(page.tail())).isTrue();
        assertThat(broker.readAfter(0, 10))
                .usingRecursiveComparison()
                .ignoringFields("readAt")
                .isEqualTo(page);
        EventId first = broker.publishText("first");
        assertThat(first.offset()).isOne();
        assertThat(broker.readAfter(0, 10).continues(page.tail())).isTrue();
    }

    @Test
    default void positions_thatAreGoneOrNeverWere_doNotContinue() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withSize(5));
        String epoch = broker.publishNumbers(12).epoch();

        Page page = broker.readAfter(0, 100);

        assertThat(page.continues(new EventId(epoch, 6)))
                .as("the position before the last one that continues")
                .isFalse();
        assertThat(page.continues(new EventId(epoch, 7)))
                .as("the position before the oldest message")
                .isTrue();
        assertThat(page.continues(new EventId(epoch, 12))).as("the newest message").isTrue();
        assertThat(page.continues(new EventId(epoch, 13))).as("a position in the future").isFalse();
        assertThat(page.continues(new EventId("0" + epoch, 12)))
                .as("a position of another epoch")
                .isFalse();
    }

    @Test
    default void retention_bySize_keepsTheNewest() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withSize(5));

        broker.publishNumbers(12);

        Page page = broker.readAfter(0, 100);
        assertThat(page.oldest()).isEqualTo(8);
        assertThat(page.newest()).isEqualTo(12);
        assertThat(offsets(page)).containsExactlyElementsOf(offsets(8, 12));
    }

    @Test
    default void retention_byBytes_keepsTheNewest_howeverLargeItIs() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withBytes(10_000));
        String text = "x".repeat(3_000);
        for (int i = 1; i <= 9; i++) {
            broker.publishText(i + text);
        }

        Page page = broker.readAfter(0, 100);
        assertThat(page.newest()).isEqualTo(9);
        assertThat(page.messages()).hasSizeBetween(1, 4);
        EventId large = broker.publishText("x".repeat(60_000));
        assertThat(offsets(broker.readAfter(0, 100))).containsExactly(large.offset());
    }

    @Test
    default void retention_byBytes_countsWhatIsStored_inUtf8() {
        // {"text":"…"}: 11 bytes, and 2 for é, 3 for €, 4 for the emoji, 2 for an escaped line end.
        String text = "é€\uD83D\uDE00\n".repeat(100);
        int bytes = 11 + 100 * (2 + 3 + 4 + 2);

        assertThat(retainedOf(20, text, 10L * bytes)).isEqualTo(10);
        assertThat(retainedOf(20, text, 10L * bytes - 1)).isEqualTo(9);
    }

    @Test
    default void retention_byBytes_countsSenderAndEventType_too() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withBytes(10 * 41));
        for (int i = 0; i < 20; i++) {
            // {"text":"x","from":"Zoë","event":"news"} is 41 bytes.
            broker.publish(
                    new Message(
                            ROOM,
                            "x",
                            Optional.of("Zoë"),
                            Optional.of(new EventType("news")),
                            broker.clock().instant()));
        }

        assertThat(broker.readAfter(0, 100).messages()).hasSize(10);
    }

    @Test
    default void retention_byBytes_holdsWhereLongTextsFollowManyShortOnes() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withBytes(160_000));
        for (int i = 0; i < 2_000; i++) {
            broker.publishText("x");
        }
        String text = "x".repeat(4_000);

        for (int i = 1; i <= 60; i++) {
            broker.publishText(text);

            // {"text":"…"} is eleven bytes longer than the text.
            int longOnes = Math.min(i, 160_000 / 4_011);
            long shortOnes = Math.min(2_000, (160_000 - longOnes * 4_011L) / 12);
            long retained = i == longOnes ? i + shortOnes : longOnes;
            assertThat(broker.readAfter(0, 1).oldest())
                    .as("oldest message after %d long ones", i)
                    .isEqualTo(2_000 + i + 1 - retained);
        }
        assertThat(walked(walk(broker, 500))).containsExactlyElementsOf(offsets(2_022, 2_060));
    }

    private int retainedOf(int published, String text, long bytes) {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withBytes(bytes));
        var room = new Room("of-" + bytes);
        for (int i = 0; i < published; i++) {
            broker.publishText(room, text);
        }
        return broker.read(room, new Range.After(0, 100)).messages().size();
    }

    @Test
    default void retention_ofARoom_isThatOfTheFirstPatternThatMatches() {
        BlockingBroker broker =
                open(
                        new RoomHistories(
                                HistorySettings.DEFAULT.withSize(6).withBytes(10_000),
                                RoomSettingsTest.settings(
                                        Map.of(
                                                "parley.rooms.\"team.*\".history.size", "4",
                                                "parley.rooms.\"team.red\".history.size", "2",
                                                "parley.rooms.\"big.*\".history.bytes", "1M",
                                                "parley.rooms.\"small.*\".history.bytes", "1"))));

        assertThat(retainedOf(broker, "kitchen", "x")).isEqualTo(6);
        assertThat(retainedOf(broker, "team.blue", "x")).isEqualTo(4);
        assertThat(retainedOf(broker, "team.red", "x")).isEqualTo(2);
        String fourFit = "x".repeat(2_400);
        assertThat(retainedOf(broker, "long", fourFit)).isEqualTo(4);
        assertThat(retainedOf(broker, "big.room", fourFit)).isEqualTo(6);
        assertThat(retainedOf(broker, "small.room", fourFit)).isOne();
    }

    @Test
    default void retention_byAge_endsMessages_alsoWhereNothingIsPublished() {
        BlockingBroker broker =
                open(
                        new RoomHistories(
                                HistorySettings.DEFAULT,
                                RoomSettingsTest.settings(
                                        Map.of("parley.rooms.room.history.age", "6S"))));
        EventId old = broker.publishNumbers(3);
        broker.publishText(OTHER, "lasts");
        awaitPage(
                broker,
                page -> page.age(page.messages().get(0)).compareTo(Duration.ofSeconds(3)) >= 0);
        EventId young = broker.publishText("young");

        Page partly = awaitPage(broker, page -> page.oldest() == 4);

        assertThat(offsets(partly)).containsExactly(4L);
        assertThat(partly.continues(old)).isTrue();
        assertThat(partly.continues(new EventId(old.epoch(), 2))).isFalse();
        assertThat(offsets(broker.read(Range.newest(10)))).doesNotContain(1L, 2L, 3L);
        assertThat(offsets(broker.read(new Range.Before(4, 10)))).isEmpty();

        Page later = awaitPage(broker, page -> page.messages().isEmpty());

        assertThat(later.oldest()).isEqualTo(5);
        assertThat(later.newest()).isEqualTo(4);
        assertThat(later.continues(young)).isTrue();
        assertThat(later.continues(old)).isFalse();
        assertThat(broker.publishText("next").offset()).isEqualTo(5);
        assertThat(offsets(broker.readAfter(4, 10))).containsExactly(5L);
        assertThat(broker.read(OTHER, Range.newest(10)).messages()).hasSize(1);
    }

    @Test
    default void messageWithTtl_expires_andKeepsItsPlaceInTheLog() {
        BlockingBroker broker = open();
        EventId first = broker.publishText("1");
        Duration ttl = Duration.ofSeconds(1);
        EventId brief = broker.publishBriefly("2", ttl, "key").id();
        broker.publishBriefly("3", Duration.ofHours(1), "other");

        Page page = awaitPage(broker, read -> read.messages().stream().anyMatch(read::isExpired));

        assertThat(offsets(page)).containsExactly(1L, 2L, 3L);
        assertThat(page.messages().stream().filter(page::isExpired))
                .extracting(StoredMessage::id)
                .containsExactly(brief);
        assertThat(page.continues(first)).isTrue();
        assertThat(page.messages().get(1).message().ttl()).hasValue(ttl);
        assertThat(broker.received().await(3)).isEqualTo(page.messages());
    }

    @Test
    default void ttl_belongsToTheMessage_thatAKeyIsFor() {
        BlockingBroker broker = open();
        Receipt first = broker.publishBriefly("x", Duration.ofSeconds(60), "key");

        assertThat(broker.publishBriefly("x", Duration.ofSeconds(60), "key"))
                .isEqualTo(new Receipt(first.id(), true));
        assertThatExceptionOfType(IdempotencyKeyReused.class)
                .isThrownBy(() -> broker.publishBriefly("x", Duration.ofSeconds(61), "key"));
        assertThatExceptionOfType(IdempotencyKeyReused.class)
                .isThrownBy(() -> broker.publish("x", "key"));
    }

    /** Lets time pass, by both clocks that a broker may have, until a page of the room is so. */
    private static Page awaitPage(BlockingBroker broker, Predicate<Page> condition) {
        return Timeouts.await("page")
                .until(
                        () -> {
                            broker.clock().advance(Duration.ofMillis(100));
                            return broker.readAfter(0, 10);
                        },
                        condition);
    }

    /** Publishes twelve messages, and counts those that are retained. */
    private static int retainedOf(BlockingBroker broker, String name, String text) {
        var room = new Room(name);
        for (int i = 0; i < 12; i++) {
            broker.publishText(room, text);
        }
        return broker.read(room, new Range.After(0, 100)).messages().size();
    }

    @Test
    default void endedEpoch_keepsMessagesAndCount_inANewEpoch() {
        BlockingBroker broker = open();
        EventId last = broker.publishNumbers(3);

        broker.endEpoch(ROOM, last.epoch());

        Page page = broker.readAfter(0, 10);
        assertThat(page.epoch()).isNotEqualTo(last.epoch());
        assertThat(page.continues(last)).isFalse();
        assertThat(offsets(page)).containsExactly(1L, 2L, 3L);
        assertThat(page.messages()).extracting(m -> m.id().epoch()).containsOnly(page.epoch());
        assertThat(broker.publishText("next")).isEqualTo(new EventId(page.epoch(), 4));
    }

    @Test
    default void endingAnEpochThatHasEnded_changesNothing() {
        BlockingBroker broker = open();
        String first = broker.publishNumbers(3).epoch();
        broker.endEpoch(ROOM, first);
        String second = broker.readAfter(0, 10).epoch();

        broker.endEpoch(ROOM, first);
        broker.endEpoch(OTHER, first);

        assertThat(broker.readAfter(0, 10).epoch()).isEqualTo(second);
    }

    // Pages.

    @Test
    default void after_walksToTheEnd_pageByPage() {
        BlockingBroker broker = open();
        broker.publishNumbers(25);

        List<Page> pages = walk(broker, 10);

        assertThat(pages).extracting(page -> page.messages().size()).containsExactly(10, 10, 5);
        assertThat(walked(pages)).containsExactlyElementsOf(offsets(1, 25));
    }

    @Test
    default void before_walksToTheBeginning_pageByPage() {
        BlockingBroker broker = open();
        broker.publishNumbers(25);

        List<Long> walked = new ArrayList<>();
        Page page = broker.read(Range.newest(10));
        while (!page.messages().isEmpty()) {
            assertThat(page.messages()).hasSizeLessThanOrEqualTo(10);
            walked.addAll(0, offsets(page));
            page = broker.read(new Range.Before(walked.get(0), 10));
        }

        assertThat(walked).containsExactlyElementsOf(offsets(1, 25));
    }

    @Test
    default void page_hasTheMessagesNextToThePosition_inAscendingOrder() {
        BlockingBroker broker = open();
        broker.publishNumbers(9);

        assertThat(offsets(broker.readAfter(3, 2))).containsExactly(4L, 5L);
        assertThat(offsets(broker.read(new Range.Before(7, 2)))).containsExactly(5L, 6L);
        assertThat(offsets(broker.read(Range.newest(1)))).containsExactly(9L);
        assertThat(offsets(broker.read(new Range.Before(1, 5)))).isEmpty();
        assertThat(offsets(broker.readAfter(9, 5))).isEmpty();
        assertThat(offsets(broker.readAfter(999_999_999_999_999_999L, 5))).isEmpty();
    }

    @Test
    default void longTexts_areReadInShortPages_thatWalkOn() {
        BlockingBroker broker = open();
        String text = "x".repeat(60_000);
        for (int i = 0; i < 40; i++) {
            broker.publishText(i + text);
        }

        List<Page> pages = walk(broker, 500);

        assertThat(pages).allMatch(page -> page.messages().size() < 10);
        assertThat(walked(pages)).containsExactlyElementsOf(offsets(1, 40));
    }

    @Test
    default void veryLongTexts_areReadTwoAtATime() {
        BlockingBroker broker = open();
        for (int i = 0; i < 5; i++) {
            broker.publishText(i + "x".repeat(300_000));
        }

        assertThat(offsets(broker.readAfter(2, 500))).containsExactly(3L, 4L);
        assertThat(offsets(broker.read(Range.newest(500)))).containsExactly(4L, 5L);
    }

    /** Reads all pages, from the oldest message on. */
    private static List<Page> walk(BlockingBroker broker, int limit) {
        List<Page> pages = new ArrayList<>();
        Page page = broker.readAfter(0, limit);
        while (!page.messages().isEmpty()) {
            pages.add(page);
            List<StoredMessage> messages = page.messages();
            page = broker.readAfter(messages.get(messages.size() - 1).offset(), limit);
        }
        return pages;
    }

    private static List<Long> walked(List<Page> pages) {
        return pages.stream().flatMap(page -> offsets(page).stream()).toList();
    }

    // Publishing.

    @Test
    default void repeat_underTheSameKey_receivesTheFirstReceipt_andPublishesNothing() {
        BlockingBroker broker = open();

        Receipt first = broker.publish("once", "key");
        broker.publishText("between");
        Receipt repeat = broker.publish("once", "key");

        assertThat(first.duplicate()).isFalse();
        assertThat(repeat).isEqualTo(new Receipt(first.id(), true));
        assertThat(broker.readAfter(0, 10).messages()).hasSize(2);
        broker.publishText("last");
        assertThat(broker.received().await(3))
                .extracting(message -> message.message().text())
                .containsExactly("once", "between", "last");
    }

    /** The epoch ends because messages were lost, but the log has this one. */
    @Test
    default void repeat_afterTheEndOfItsEpoch_receivesTheFirstReceipt() {
        BlockingBroker broker = open();
        Receipt first = broker.publish("once", "key");
        for (int i = 0; i < 3; i++) {
            broker.endEpoch(ROOM, broker.readAfter(0, 10).epoch());
        }

        assertThat(broker.publish("once", "key")).isEqualTo(new Receipt(first.id(), true));
        assertThat(broker.readAfter(0, 10).newest()).isOne();
    }

    /** Nothing of the room is retained any more, and nothing was lost. */
    @Test
    default void repeat_afterTheHistoryHasEndedByItsAge_receivesTheFirstReceipt() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withAge(Duration.ofSeconds(1)));
        Receipt first = broker.publish("once", "key");
        Instant end = broker.readAfter(0, 10).readAt().plus(Duration.ofMillis(1_500));
        awaitPage(broker, page -> page.readAt().isAfter(end));

        assertThat(broker.publish("once", "key")).isEqualTo(new Receipt(first.id(), true));
        assertThatExceptionOfType(IdempotencyKeyReused.class)
                .isThrownBy(() -> broker.publish("twice", "key"));
        assertThat(broker.publishText("next").offset()).isEqualTo(2);
        assertThat(broker.publish("once", "key")).isEqualTo(new Receipt(first.id(), true));
        assertThat(broker.received().await(2))
                .extracting(message -> message.message().text())
                .containsExactly("once", "next");
    }

    @Test
    default void key_underAnotherText_isRefused() {
        BlockingBroker broker = open();
        broker.publish("once", "key");

        assertThatExceptionOfType(IdempotencyKeyReused.class)
                .isThrownBy(() -> broker.publish("twice", "key"));

        assertThat(broker.readAfter(0, 10).newest()).isOne();
    }

    @Test
    default void key_isOfOneRoom() {
        BlockingBroker broker = open();

        broker.publish(ROOM, "here", "key");
        Receipt elsewhere = broker.publish(new Room("other"), "there", "key");

        assertThat(elsewhere.duplicate()).isFalse();
    }

    @Test
    default void key_isOfOneSender() {
        BlockingBroker broker = open();
        Receipt unknown = broker.publish("text", "key");
        Receipt ada = broker.publish("text", "key", "Ada");
        Receipt person = broker.publish("text", "key", "person:1");

        assertThat(ada.duplicate()).isFalse();
        assertThat(person.duplicate()).isFalse();
        assertThat(broker.publish("text", "key", "Ada")).isEqualTo(new Receipt(ada.id(), true));
        assertThat(broker.publish("text", "key")).isEqualTo(new Receipt(unknown.id(), true));
        assertThatExceptionOfType(IdempotencyKeyReused.class)
                .isThrownBy(() -> broker.publish("another", "key", "person:1"));
    }

    @Test
    default void sameText_underAnotherKey_isAnotherMessage() {
        BlockingBroker broker = open();

        broker.publish("text", "key");
        Receipt second = broker.publish("text", "key2");

        assertThat(second.duplicate()).isFalse();
        assertThat(second.id().offset()).isEqualTo(2);
    }

    @Test
    default void repeats_atTheSameTime_publishOnce() throws Exception {
        BlockingBroker broker = open();

        for (int round = 1; round <= 20; round++) {
            String key = "key-" + round;
            List<Receipt> receipts = concurrently(8, () -> broker.publish("text", key));

            assertThat(receipts).filteredOn(receipt -> !receipt.duplicate()).hasSize(1);
            assertThat(receipts).extracting(r -> r.id().offset()).containsOnly((long) round);
        }
        assertThat(broker.readAfter(0, 100).newest()).isEqualTo(20);
    }

    @Test
    default void listener_receivesARoomInOrder_whileManyPublish() throws Exception {
        BlockingBroker broker = open();

        List<EventId> ids = concurrently(8, () -> broker.publishNumbers(50));

        assertThat(ids).doesNotHaveDuplicates();
        List<StoredMessage> arrived = broker.received().await(400);
        assertThat(arrived).extracting(StoredMessage::offset).isEqualTo(offsets(1, 400));
        assertThat(arrived).isEqualTo(broker.readAfter(0, 400).messages());
    }

    // Listening.

    @Test
    default void listener_receivesItsRoomOnly() {
        BlockingBroker broker = open();
        RecordingListener other = broker.subscribe(OTHER);

        broker.publishText("here");
        broker.publishText(OTHER, "there");
        broker.publishText("here again");

        assertThat(broker.received().await(2))
                .extracting(message -> message.message().text())
                .containsExactly("here", "here again");
        assertThat(other.await(1))
                .extracting(message -> message.message().text())
                .containsExactly("there");
    }

    @Test
    default void listener_thatUnsubscribed_receivesNothingMore() {
        BlockingBroker broker = open();
        RecordingListener second = broker.subscribe(ROOM);
        broker.publishText("both");
        second.await(1);

        broker.unsubscribe(ROOM, second);
        broker.publishText("one");

        broker.received().await(2);
        assertThat(second.all()).hasSize(1);
    }

    @Test
    default void listener_receivesEverything_thatIsPublishedAfterTheConfirmation() {
        BlockingBroker broker = open();

        for (int round = 1; round <= 50; round++) {
            var room = new Room("room-" + round);
            RecordingListener received = broker.subscribe(room);
            EventId id = broker.publishText(room, "at once");

            assertThat(received.await(1)).extracting(StoredMessage::id).containsExactly(id);
        }
    }

    @Test
    default void publish_happensOnce_forEachSubscriptionToItsResult() {
        BlockingBroker broker = open();

        Uni<Receipt> publish = broker.publishing("a");
        assertThat(broker.readAfter(0, 10).newest()).isZero();

        publish.await().atMost(Timeouts.LIMIT);
        publish.await().atMost(Timeouts.LIMIT);
        assertThat(broker.readAfter(0, 10).newest()).isEqualTo(2);
    }

    private static <T> List<T> concurrently(int threads, Callable<T> call) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<T> results = new ArrayList<>();
            for (Future<T> result : pool.invokeAll(Collections.nCopies(threads, call))) {
                results.add(result.get());
            }
            return results;
        } finally {
            pool.shutdownNow();
        }
    }
}
