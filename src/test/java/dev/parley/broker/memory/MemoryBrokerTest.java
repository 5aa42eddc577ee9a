package dev.parley.broker.memory;

import static dev.parley.broker.BlockingBroker.offsets;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.BlockingBroker;
import dev.parley.broker.Broker;
import dev.parley.broker.BrokerContract;
import dev.parley.broker.HistorySettings;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.broker.RoomHistories;
import dev.parley.broker.RoomListeners;
import dev.parley.message.EventId;
import dev.parley.message.Room;
import dev.parley.testsupport.SettableClock;
import dev.parley.testsupport.Timeouts;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class MemoryBrokerTest implements BrokerContract {

    @Override
    public Broker create(RoomHistories histories, SettableClock clock) {
        return new MemoryBroker(
                histories,
                Long.MAX_VALUE,
                clock,
                clock::nanoTime,
                new SimpleMeterRegistry(),
                new RoomListeners());
    }

    @Test
    void receipt_isForgotten_whenItHasExpired() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withReceipts(Duration.ofMinutes(5)));
        broker.publish("a", "key");

        broker.clock().advance(Duration.ofMinutes(5).minusMillis(1));
        assertThat(broker.publish("a", "key").duplicate()).isTrue();

        broker.clock().advance(Duration.ofMillis(1));
        assertThat(broker.publish("a", "key").duplicate()).isFalse();
    }

    @Test
    void receipt_isKeptForItsTime_alsoWhenTheClockIsSetAhead() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withReceipts(Duration.ofMinutes(5)));
        broker.publish("a", "key");

        broker.clock().setAhead(Duration.ofHours(1));

        assertThat(broker.publish("a", "key").duplicate()).isTrue();
        broker.clock().setBack(Duration.ofHours(2));
        broker.clock().advance(Duration.ofMinutes(5));
        assertThat(broker.publish("a", "key").duplicate()).isFalse();
    }

    @Test
    void roomThatIsRead_keepsItsEpoch_whateverOtherEmptyRoomsAreReadMeanwhile() {
        BlockingBroker broker = open();
        String epoch = broker.readAfter(0, 1).epoch();
        for (int i = 0; i < 3 * MemoryBroker.MAX_EMPTY; i++) {
            broker.read(new Room("madeUp" + i), new Range.After(0, 1));
        }

        assertThat(broker.publishText("first")).isEqualTo(new EventId(epoch, 1));
    }

    @Test
    void receipt_doesNotKeepTheTextOfAMessageThatWasTrimmed() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withSize(1));
        var text = new WeakReference<>("x".repeat(1_000));
        var room = new Room("unread");
        broker.publish(room, Objects.requireNonNull(text.get()), "key");
        broker.publishText(room, "another");

        Timeouts.await("the text is collected")
                .until(
                        () -> {
                            System.gc();
                            return text.get() == null;
                        });
        assertThat(broker.publish(room, "x".repeat(1_000), "key").duplicate()).isTrue();
    }

    @Test
    void retention_byAge_dropsOldMessages_whenOthersArePublished() {
        BlockingBroker broker = open(HistorySettings.DEFAULT.withAge(Duration.ofHours(1)));
        broker.publishNumbers(20);
        broker.clock().advance(Duration.ofMinutes(50));
        broker.publishNumbers(4);

        broker.clock().advance(Duration.ofMinutes(20));
        broker.publishNumbers(16);

        Page page = broker.readAfter(0, 100);
        assertThat(page.oldest()).isEqualTo(21);
        assertThat(offsets(page)).containsExactlyElementsOf(offsets(21, 40));
    }
}
