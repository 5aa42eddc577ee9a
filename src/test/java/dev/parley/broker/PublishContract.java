package dev.parley.broker;

import static dev.parley.broker.BlockingBroker.ROOM;
import static dev.parley.broker.BlockingBroker.offsets;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.message.EventId;
import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import dev.parley.testsupport.Timeouts;
import io.smallrye.mutiny.Uni;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** What becomes of a publish: at most one message, heard in order, and a receipt. */
interface PublishContract extends BrokerUnderTest {

    @Test
    default void repeat_underTheSameKey_getsTheFirstReceiptAndPublishesNothing() {
        BlockingBroker broker = open();

        Receipt first = broker.publish("once", "key");
        broker.say("between");
        Receipt repeat = broker.publish("once", "key");

        assertThat(first.duplicate()).isFalse();
        assertThat(repeat).isEqualTo(new Receipt(first.id(), true));
        assertThat(broker.readAfter(0, 10).messages()).hasSize(2);
        broker.say("last");
        assertThat(broker.heard().await(ROOM, 3))
                .extracting(message -> message.message().text())
                .containsExactly("once", "between", "last");
    }

    @Test
    default void key_isOfOneRoom() {
        BlockingBroker broker = open();

        broker.publish(ROOM, "here", "key");
        Receipt elsewhere = broker.publish(new Room("other"), "there", "key");

        assertThat(elsewhere.duplicate()).isFalse();
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
    default void listener_hearsARoomInOrder_howeverManyPublish() throws Exception {
        BlockingBroker broker = open();

        List<EventId> ids = concurrently(8, () -> broker.sayNumbers(50));

        assertThat(ids).doesNotHaveDuplicates();
        List<StoredMessage> arrived = broker.heard().await(ROOM, 400);
        assertThat(arrived).extracting(StoredMessage::offset).isEqualTo(offsets(1, 400));
        assertThat(arrived).isEqualTo(broker.readAfter(0, 400).messages());
    }

    @Test
    default void listener_isTold_onceMessagesFlow() {
        BlockingBroker broker = open();

        broker.heard().awaitRejoins(1);
        assertThat(broker.heard().rejoins()).isOne();
    }

    @Test
    default void nothingHappens_beforeSomebodyWaitsForIt() {
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
