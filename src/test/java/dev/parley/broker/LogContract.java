package dev.parley.broker;

import static dev.parley.broker.BlockingBroker.ROOM;
import static dev.parley.broker.BlockingBroker.offsets;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.message.EventId;
import dev.parley.message.EventType;
import dev.parley.message.Message;
import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A room's log: offsets, epochs, and what it retains. */
interface LogContract extends BrokerUnderTest {

    Room OTHER = new Room("other");

    @Test
    default void offsets_countFromOneWithoutHoles_inEveryRoomForItself() {
        BlockingBroker broker = open();

        List<EventId> room = List.of(broker.say("a"), broker.say("b"));
        EventId other = broker.say(OTHER, "c");
        EventId third = broker.say("d");

        assertThat(room).extracting(EventId::offset).containsExactly(1L, 2L);
        assertThat(third).isEqualTo(new EventId(room.get(0).epoch(), 3));
        assertThat(other.offset()).isEqualTo(1);
        assertThat(other.epoch()).isNotEqualTo(third.epoch());
    }

    @Test
    default void message_isReadAndHeard_asItWasPublished() {
        BlockingBroker broker = open();
        var message =
                new Message(
                        ROOM,
                        " é\u0000\n\n\"\\ \uD83D\uDE00 {\"a\":1} ",
                        Optional.of("Zoë"),
                        Optional.of(new EventType("news")),
                        broker.clock().instant());

        broker.publish(message);

        assertThat(broker.readAfter(0, 10).messages())
                .extracting(StoredMessage::message)
                .containsExactly(message);
        assertThat(broker.heard().await(ROOM, 1))
                .extracting(StoredMessage::message)
                .containsExactly(message);
    }

    @Test
    default void emptyRoom_hasAnEpochThatStays_soThatAReaderOfItCanResume() {
        BlockingBroker broker = open();

        Page page = broker.readAfter(0, 10);

        assertThat(page.messages()).isEmpty();
        assertThat(page.newest()).isZero();
        assertThat(page.oldest()).isOne();
        assertThat(page.continues(page.tail())).isTrue();
        assertThat(broker.readAfter(0, 10)).isEqualTo(page);
        assertThat(broker.say("first")).isEqualTo(new EventId(page.epoch(), 1));
    }

    @Test
    default void positions_thatAreGoneOrNeverWere_doNotContinue() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withSize(5));
        String epoch = broker.sayNumbers(12).epoch();

        Page page = broker.readAfter(0, 100);

        assertThat(page.continues(new EventId(epoch, 6))).as("just before the oldest").isFalse();
        assertThat(page.continues(new EventId(epoch, 7))).as("all retained follows").isTrue();
        assertThat(page.continues(new EventId(epoch, 12))).as("the newest").isTrue();
        assertThat(page.continues(new EventId(epoch, 13))).as("the future").isFalse();
        assertThat(page.continues(new EventId("0" + epoch, 12))).as("another epoch").isFalse();
    }

    @Test
    default void retention_bySize_keepsTheNewest() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withSize(5));

        broker.sayNumbers(12);

        Page page = broker.readAfter(0, 100);
        assertThat(page.oldest()).isEqualTo(8);
        assertThat(page.newest()).isEqualTo(12);
        assertThat(offsets(page)).containsExactlyElementsOf(offsets(8, 12));
    }

    @Test
    default void retention_byAge_dropsOldOnesAsOthersArePublished() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withAge(Duration.ofHours(1)));
        broker.sayNumbers(20);
        broker.clock().advance(Duration.ofMinutes(50));
        broker.sayNumbers(4);

        broker.clock().advance(Duration.ofMinutes(20));
        broker.sayNumbers(16);

        Page page = broker.readAfter(0, 100);
        assertThat(page.oldest()).isEqualTo(21);
        assertThat(offsets(page)).containsExactlyElementsOf(offsets(21, 40));
    }

    @Test
    default void endedEpoch_keepsMessagesAndCount_underANewName() {
        BlockingBroker broker = open();
        EventId last = broker.sayNumbers(3);

        broker.endEpoch(ROOM, last.epoch());

        Page page = broker.readAfter(0, 10);
        assertThat(page.epoch()).isNotEqualTo(last.epoch());
        assertThat(page.continues(last)).isFalse();
        assertThat(offsets(page)).containsExactly(1L, 2L, 3L);
        assertThat(page.messages()).extracting(m -> m.id().epoch()).containsOnly(page.epoch());
        assertThat(broker.say("next")).isEqualTo(new EventId(page.epoch(), 4));
    }

    @Test
    default void epochThatEndedBefore_doesNotEndAgain() {
        BlockingBroker broker = open();
        String first = broker.sayNumbers(3).epoch();
        broker.endEpoch(ROOM, first);
        String second = broker.readAfter(0, 10).epoch();

        broker.endEpoch(ROOM, first);
        broker.endEpoch(OTHER, first);

        assertThat(broker.readAfter(0, 10).epoch()).isEqualTo(second);
    }
}
