package dev.parley.broker.memory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.Broker;
import dev.parley.broker.BrokerContract;
import dev.parley.broker.IdempotencyKey;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.broker.Retention;
import dev.parley.broker.RetentionOf;
import dev.parley.message.EventId;
import dev.parley.message.Room;
import dev.parley.testsupport.Patience;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MemoryBrokerTest extends BrokerContract {

    private static final Room QUIET = new Room("quiet");

    private long maxBytes = Long.MAX_VALUE;

    @Override
    protected Broker create(Retention retention) {
        return new MemoryBroker(retention, maxBytes, clock);
    }

    @Test
    void receipt_isForgotten_afterItsTime() {
        Broker broker = open(RetentionOf.DEFAULT.withReceipts(Duration.ofMinutes(5)));
        var key = Optional.of(new IdempotencyKey("key"));
        publish(broker, text("a"), key);

        clock.advance(Duration.ofMinutes(5).minusMillis(1));
        assertThat(publish(broker, text("a"), key).duplicate()).isTrue();

        clock.advance(Duration.ofMillis(1));
        assertThat(publish(broker, text("a"), key).duplicate()).isFalse();
    }

    @Test
    void overTheCeiling_roomsUsedLongAgoAreForgotten_andStartANewEpoch() {
        maxBytes = 100_000;
        Broker broker = open(RetentionOf.DEFAULT);
        EventId quiet = say(broker, QUIET, "x".repeat(1_000));

        for (int i = 0; i < 45; i++) {
            say(broker, ROOM, "x".repeat(1_000));
        }

        Page page = broker.read(QUIET, new Range.After(0, 10)).await().atMost(Patience.LIMIT);
        assertThat(page.epoch()).isNotEqualTo(quiet.epoch());
        assertThat(page.newest()).isZero();
        assertThat(readAfter(broker, 0, 10).oldest()).isOne();
    }

    @Test
    void reading_madeUpRooms_costsNoRoomItsMessages() {
        maxBytes = 100_000;
        Broker broker = open(RetentionOf.DEFAULT);
        EventId quiet = say(broker, QUIET, "x".repeat(1_000));

        for (int i = 0; i < 50_000; i++) {
            broker.read(new Room("made-up-" + i), Range.newest(1)).await().atMost(Patience.LIMIT);
        }
        say(broker, ROOM, "x");

        assertThat(pageOf(broker, QUIET).tail()).isEqualTo(quiet);
        assertThat(pageOf(broker, QUIET).messages()).hasSize(1);
    }

    @Test
    void publishing_inMadeUpRooms_costsNoRoomItsMessages_thatSomebodyReads() {
        maxBytes = 100_000;
        Broker broker = open(RetentionOf.DEFAULT);
        Room waited = new Room("waited-for");
        String epoch = pageOf(broker, waited).epoch();
        EventId quiet = say(broker, QUIET, "x".repeat(1_000));
        pageOf(broker, QUIET);
        EventId first = say(broker, waited, "x".repeat(1_000));

        for (int i = 0; i < 1_000; i++) {
            say(broker, new Room("made-up-" + i), "x".repeat(1_000));
        }

        assertThat(pageOf(broker, QUIET).tail()).isEqualTo(quiet);
        assertThat(first).isEqualTo(new EventId(epoch, 1));
        assertThat(pageOf(broker, waited).messages()).hasSize(1);
        assertThat(pageOf(broker, new Room("made-up-0")).newest()).isZero();
        assertThat(pageOf(broker, new Room("made-up-999")).newest()).isOne();
    }

    @Test
    void overTheCeiling_oneRoomAlone_forgetsItsOldestMessages() {
        maxBytes = 100_000;
        Broker broker = open(RetentionOf.DEFAULT);

        EventId last = sayLong(broker, 500);

        Page page = readAfter(broker, 0, 1_000);
        assertThat(page.epoch()).isEqualTo(last.epoch());
        assertThat(page.newest()).isEqualTo(500);
        assertThat(page.oldest()).isGreaterThan(450);
        assertThat(offsets(page)).containsExactlyElementsOf(offsets(page.oldest(), 500));
    }

    @Test
    void messageAboveTheCeiling_isDelivered_andTheNewestStays() {
        maxBytes = 1_000;
        Broker broker = open(RetentionOf.DEFAULT);

        sayLong(broker, 3);

        assertThat(heard.in(ROOM)).hasSize(3);
        assertThat(offsets(readAfter(broker, 0, 10))).containsExactly(3L);
    }

    private static Page pageOf(Broker broker, Room room) {
        return broker.read(room, new Range.After(0, 10)).await().atMost(Patience.LIMIT);
    }

    private EventId sayLong(Broker broker, int count) {
        EventId last = say(broker, ROOM, "x".repeat(1_000));
        for (int i = 1; i < count; i++) {
            last = say(broker, ROOM, "x".repeat(1_000));
        }
        return last;
    }
}
