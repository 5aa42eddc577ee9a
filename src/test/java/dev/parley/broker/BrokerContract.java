package dev.parley.broker;

import static java.util.stream.LongStream.rangeClosed;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.message.EventId;
import dev.parley.message.EventType;
import dev.parley.message.Message;
import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import dev.parley.testsupport.Patience;
import dev.parley.testsupport.SettableClock;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What the rest of Parley relies on, whichever broker it has. */
public abstract class BrokerContract {

    protected static final Room ROOM = new Room("room");
    private static final Room OTHER = new Room("other");

    protected final SettableClock clock = SettableClock.stoppedNow();
    protected final HeardMessages heard = new HeardMessages();

    /** A broker that remembers nothing yet. */
    protected abstract Broker create(Retention retention);

    /** Such a broker, with {@link #heard} as its listener and messages flowing. */
    protected final Broker open(Retention retention) {
        Broker broker = create(retention);
        broker.listen(heard);
        Patience.await("broker").until(() -> broker.state().isUp());
        return broker;
    }

    private Broker open() {
        return open(RetentionOf.DEFAULT);
    }

    @Test
    void offsets_countFromOneWithoutHoles_inEveryRoomForItself() {
        Broker broker = open();

        List<EventId> room = List.of(say(broker, ROOM, "a"), say(broker, ROOM, "b"));
        EventId other = say(broker, OTHER, "c");
        EventId third = say(broker, ROOM, "d");

        assertThat(room).extracting(EventId::offset).containsExactly(1L, 2L);
        assertThat(third).isEqualTo(new EventId(room.get(0).epoch(), 3));
        assertThat(other.offset()).isEqualTo(1);
        assertThat(other.epoch()).isNotEqualTo(third.epoch());
    }

    @Test
    void message_isRead_asItWasPublished() {
        Broker broker = open();
        var message =
                new Message(
                        ROOM,
                        " é\u0000\n\n\"\\ \uD83D\uDE00 {\"a\":1} ",
                        Optional.of("Zoë"),
                        Optional.of(new EventType("news")),
                        clock.instant());

        publish(broker, message, Optional.empty());

        assertThat(readAfter(broker, 0, 10).messages())
                .extracting(StoredMessage::message)
                .containsExactly(message);
        assertThat(heard.await(ROOM, 1))
                .extracting(StoredMessage::message)
                .containsExactly(message);
    }

    @Test
    void emptyRoom_hasAnEpochThatStays_soThatAReaderOfItCanResume() {
        Broker broker = open();

        Page page = readAfter(broker, 0, 10);

        assertThat(page.messages()).isEmpty();
        assertThat(page.newest()).isZero();
        assertThat(page.oldest()).isOne();
        assertThat(page.continues(page.tail())).isTrue();
        assertThat(readAfter(broker, 0, 10)).isEqualTo(page);
        assertThat(say(broker, ROOM, "first")).isEqualTo(new EventId(page.epoch(), 1));
    }

    @Test
    void after_walksToTheEnd_pageByPage() {
        Broker broker = open();
        sayNumbers(broker, 25);

        List<Long> walked = new ArrayList<>();
        Page page = readAfter(broker, 0, 10);
        while (!page.messages().isEmpty()) {
            assertThat(page.messages()).hasSizeLessThanOrEqualTo(10);
            page.messages().forEach(message -> walked.add(message.offset()));
            page = readAfter(broker, walked.get(walked.size() - 1), 10);
        }

        assertThat(walked).containsExactlyElementsOf(offsets(1, 25));
    }

    @Test
    void before_walksToTheBeginning_pageByPage() {
        Broker broker = open();
        sayNumbers(broker, 25);

        List<Long> walked = new ArrayList<>();
        Page page = read(broker, Range.newest(10));
        while (!page.messages().isEmpty()) {
            assertThat(page.messages()).hasSizeLessThanOrEqualTo(10);
            walked.addAll(0, page.messages().stream().map(StoredMessage::offset).toList());
            page = read(broker, new Range.Before(walked.get(0), 10));
        }

        assertThat(walked).containsExactlyElementsOf(offsets(1, 25));
    }

    @Test
    void page_hasTheMessagesNextToThePosition_inAscendingOrder() {
        Broker broker = open();
        sayNumbers(broker, 9);

        assertThat(offsets(readAfter(broker, 3, 2))).containsExactly(4L, 5L);
        assertThat(offsets(read(broker, new Range.Before(7, 2)))).containsExactly(5L, 6L);
        assertThat(offsets(read(broker, Range.newest(1)))).containsExactly(9L);
        assertThat(offsets(read(broker, new Range.Before(1, 5)))).isEmpty();
        assertThat(offsets(readAfter(broker, 9, 5))).isEmpty();
        assertThat(offsets(readAfter(broker, 999_999_999_999_999_999L, 5))).isEmpty();
    }

    @Test
    void longTexts_areReadInShortPages_thatWalkOn() {
        Broker broker = open();
        String text = "x".repeat(60_000);
        for (int i = 0; i < 40; i++) {
            say(broker, ROOM, i + text);
        }

        List<Long> walked = new ArrayList<>();
        Page page = readAfter(broker, 0, 500);
        while (!page.messages().isEmpty()) {
            assertThat(page.messages().size()).isLessThan(10);
            page.messages().forEach(message -> walked.add(message.offset()));
            page = readAfter(broker, walked.get(walked.size() - 1), 500);
        }

        assertThat(walked).containsExactlyElementsOf(offsets(1, 40));
    }

    @Test
    void veryLongTexts_areReadTwoAtATime() {
        Broker broker = open();
        for (int i = 0; i < 5; i++) {
            say(broker, ROOM, i + "x".repeat(300_000));
        }

        assertThat(offsets(readAfter(broker, 2, 500))).containsExactly(3L, 4L);
        assertThat(offsets(read(broker, Range.newest(500)))).containsExactly(4L, 5L);
    }

    @Test
    void positions_thatAreGoneOrNeverWere_doNotContinue() {
        Broker broker = open(RetentionOf.DEFAULT.withSize(5));
        String epoch = sayNumbers(broker, 12).epoch();

        Page page = readAfter(broker, 0, 100);

        assertThat(page.continues(new EventId(epoch, 6))).as("just before the oldest").isFalse();
        assertThat(page.continues(new EventId(epoch, 7))).as("all retained follows").isTrue();
        assertThat(page.continues(new EventId(epoch, 12))).as("the newest").isTrue();
        assertThat(page.continues(new EventId(epoch, 13))).as("the future").isFalse();
        assertThat(page.continues(new EventId("0" + epoch, 12))).as("another epoch").isFalse();
    }

    @Test
    void retention_bySize_keepsTheNewest() {
        Broker broker = open(RetentionOf.DEFAULT.withSize(5));

        sayNumbers(broker, 12);

        Page page = readAfter(broker, 0, 100);
        assertThat(page.oldest()).isEqualTo(8);
        assertThat(page.newest()).isEqualTo(12);
        assertThat(offsets(page)).containsExactlyElementsOf(offsets(8, 12));
    }

    @Test
    void retention_byAge_dropsOldOnesAsOthersArePublished() {
        Broker broker = open(RetentionOf.DEFAULT.withAge(Duration.ofHours(1)));
        sayNumbers(broker, 20);
        clock.advance(Duration.ofMinutes(50));
        sayNumbers(broker, 4);

        clock.advance(Duration.ofMinutes(20));
        sayNumbers(broker, 16);

        Page page = readAfter(broker, 0, 100);
        assertThat(page.oldest()).isEqualTo(21);
        assertThat(offsets(page)).containsExactlyElementsOf(offsets(21, 40));
    }

    @Test
    void repeat_underTheSameKey_getsTheFirstReceiptAndPublishesNothing() {
        Broker broker = open();
        var key = Optional.of(new IdempotencyKey("key"));

        Receipt first = publish(broker, text("once"), key);
        say(broker, ROOM, "between");
        Receipt repeat = publish(broker, text("once"), key);

        assertThat(first.duplicate()).isFalse();
        assertThat(repeat).isEqualTo(new Receipt(first.id(), true));
        assertThat(readAfter(broker, 0, 10).messages()).hasSize(2);
        say(broker, ROOM, "last");
        assertThat(heard.await(ROOM, 3))
                .extracting(message -> message.message().text())
                .containsExactly("once", "between", "last");
    }

    @Test
    void key_isOfOneRoom() {
        Broker broker = open();
        var key = Optional.of(new IdempotencyKey("key"));

        publish(broker, text("here"), key);
        Receipt elsewhere = publish(broker, Message.of(OTHER, "there", clock.instant()), key);

        assertThat(elsewhere.duplicate()).isFalse();
        assertThat(publish(broker, text("x"), Optional.of(new IdempotencyKey("key2"))).duplicate())
                .isFalse();
    }

    @Test
    void repeats_atTheSameTime_publishOnce() throws Exception {
        Broker broker = open();

        for (int round = 1; round <= 20; round++) {
            var key = Optional.of(new IdempotencyKey("key-" + round));
            Message message = text("round " + round);
            List<Receipt> receipts = concurrently(8, () -> publish(broker, message, key));

            assertThat(receipts).filteredOn(receipt -> !receipt.duplicate()).hasSize(1);
            assertThat(receipts).extracting(r -> r.id().offset()).containsOnly((long) round);
        }
        assertThat(readAfter(broker, 0, 100).newest()).isEqualTo(20);
    }

    @Test
    void listener_hearsARoomInOrder_howeverManyPublish() throws Exception {
        Broker broker = open();

        concurrently(8, () -> sayNumbers(broker, 50));

        List<StoredMessage> arrived = heard.await(ROOM, 400);
        assertThat(arrived).extracting(StoredMessage::offset).isEqualTo(offsets(1, 400));
        List<StoredMessage> read = new ArrayList<>(readAfter(broker, 0, 400).messages());
        assertThat(arrived).containsExactlyElementsOf(read);
    }

    @Test
    void listener_isTold_onceMessagesFlow() {
        open();

        heard.awaitRejoins(1);
        assertThat(heard.rejoins()).isOne();
    }

    @Test
    void endedEpoch_keepsMessagesAndCount_underANewName() {
        Broker broker = open();
        EventId last = sayNumbers(broker, 3);

        broker.endEpoch(ROOM, last.epoch()).await().atMost(Patience.LIMIT);

        Page page = readAfter(broker, 0, 10);
        assertThat(page.epoch()).isNotEqualTo(last.epoch());
        assertThat(page.continues(last)).isFalse();
        assertThat(offsets(page)).containsExactly(1L, 2L, 3L);
        assertThat(page.messages()).extracting(m -> m.id().epoch()).containsOnly(page.epoch());
        assertThat(say(broker, ROOM, "next")).isEqualTo(new EventId(page.epoch(), 4));
    }

    @Test
    void epochThatEndedBefore_doesNotEndAgain() {
        Broker broker = open();
        String first = sayNumbers(broker, 3).epoch();
        broker.endEpoch(ROOM, first).await().atMost(Patience.LIMIT);
        String second = readAfter(broker, 0, 10).epoch();

        broker.endEpoch(ROOM, first).await().atMost(Patience.LIMIT);
        broker.endEpoch(OTHER, first).await().atMost(Patience.LIMIT);

        assertThat(readAfter(broker, 0, 10).epoch()).isEqualTo(second);
    }

    @Test
    void nothingHappens_beforeSomebodyWaitsForIt() {
        Broker broker = open();

        Uni<Receipt> publish = broker.publish(new Publication(text("a"), Optional.empty()));
        assertThat(readAfter(broker, 0, 10).newest()).isZero();

        publish.await().atMost(Patience.LIMIT);
        publish.await().atMost(Patience.LIMIT);
        assertThat(readAfter(broker, 0, 10).newest()).isEqualTo(2);
    }

    protected final Message text(String text) {
        return Message.of(ROOM, text, clock.instant());
    }

    protected static Receipt publish(Broker broker, Message message, Optional<IdempotencyKey> key) {
        return broker.publish(new Publication(message, key)).await().atMost(Patience.LIMIT);
    }

    protected final EventId say(Broker broker, Room room, String text) {
        return publish(broker, Message.of(room, text, clock.instant()), Optional.empty()).id();
    }

    /** Says 1, 2, 3 … in the room; returns the last id. */
    protected final EventId sayNumbers(Broker broker, int count) {
        return IntStream.rangeClosed(1, count)
                .mapToObj(i -> say(broker, ROOM, Integer.toString(i)))
                .reduce((former, latter) -> latter)
                .orElseThrow();
    }

    protected static Page read(Broker broker, Range range) {
        return broker.read(ROOM, range).await().atMost(Patience.LIMIT);
    }

    protected static Page readAfter(Broker broker, long offset, int limit) {
        return read(broker, new Range.After(offset, limit));
    }

    protected static List<Long> offsets(Page page) {
        return page.messages().stream().map(StoredMessage::offset).toList();
    }

    protected static List<Long> offsets(long first, long last) {
        return rangeClosed(first, last).boxed().toList();
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
