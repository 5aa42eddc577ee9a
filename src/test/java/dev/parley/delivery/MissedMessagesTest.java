package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.delivery.SubscribeRequest.StartPosition;
import dev.parley.log.LogSettings;
import dev.parley.log.ScriptedBroker;
import dev.parley.message.EventId;
import dev.parley.message.Message.StoredMessage;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * When the broker's delivery drops, repeats or reorders messages, a reader that is not slow still
 * receives each of them once and in order.
 */
class MissedMessagesTest {

    private final HubHarness harness = new HubHarness();
    private final ScriptedBroker broker = harness.broker;

    @Test
    void messagesAfterAHole_waitUntilItIsFilled() {
        TestReader reader = harness.connectAndPublish(2);
        broker.holdAnswers();

        broker.storeUndelivered(1);
        harness.publish(3);

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 2));
        harness.releaseAnswers();
        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 6));
        assertThat(harness.count("parley.backfills")).isOne();
    }

    @Test
    void holeLongerThanAPage_isFilledInSeveralReads() {
        TestReader reader = harness.connectAndPublish(2);

        broker.storeUndelivered(1_500);
        harness.publish(1);

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 1_503));
    }

    @Test
    void lateAndRepeatedMessages_areNotDeliveredAgain() {
        TestReader reader = harness.connectAtTail();
        StoredMessage first = broker.store();
        StoredMessage second = broker.store();
        StoredMessage third = broker.store();

        List.of(third, first, third, second, second, first).forEach(broker::deliver);
        harness.run();

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 3));
    }

    @Test
    void messageOfAnEpochThatEnded_isIgnored() {
        TestReader reader = harness.connectAndPublish(2);
        var late = new StoredMessage(new EventId("old", 3), broker.log().get(0).message());

        broker.deliver(late);
        harness.publish(1);

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 3));
    }

    @Test
    void messagesDuringTheOpeningOfARoom_areNotLost() {
        broker.storeUndelivered(1);
        broker.holdAnswers();
        TestReader reader = harness.connect(new StartPosition.Newest(10));
        broker.publish(3);

        harness.releaseAnswers();

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 4));
    }

    @Test
    void missedNewestMessages_areRead_onceDeliveryRestarts() {
        TestReader reader = harness.connectAndPublish(2);

        broker.storeUndelivered(4);
        harness.run();
        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 2));

        harness.interrupt();

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 6));
    }

    @Test
    void interruption_duringARead_causesAnotherRead() {
        TestReader reader = harness.connectAndPublish(2);
        broker.holdAnswers();
        broker.interrupt();
        broker.storeUndelivered(2);

        broker.interrupt();
        harness.releaseAnswers();

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 4));
    }

    @Test
    void audit_findsMessagesThatWereNeverDelivered() {
        HubHarness audited = HubHarness.with(LogSettings.DEFAULT.withAudit(HubHarness.IMMEDIATELY));
        TestReader reader = audited.connectAtTail();
        audited.broker.storeUndelivered(2);

        audited.tick();

        assertThat(reader.delivered()).isEqualTo(audited.messages(1, 2));
    }

    @Test
    void audit_thatIsNotDue_doesNotAskTheBroker() {
        harness.connectAtTail();
        int reads = broker.reads();

        harness.tick();

        assertThat(broker.reads()).isEqualTo(reads);
    }
}
