package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.log.LogSettings;
import dev.parley.log.ScriptedBroker;
import dev.parley.message.EventId;
import dev.parley.message.StoredMessage;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Delivery that drops, repeats and reorders messages: a reader that is always in time gets each of
 * them once and in order all the same.
 */
class MissedMessagesTest {

    private final HubHarness harness = new HubHarness();
    private final ScriptedBroker broker = harness.broker;

    @Test
    void messagesAfterAHole_waitForIt() {
        TestReader reader = harness.connectAtTail();
        harness.say(2);
        broker.hold();

        broker.drop(1);
        harness.say(3);

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 2));
        harness.release();
        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 6));
        assertThat(harness.count("parley.backfills")).isOne();
    }

    @Test
    void holeLongerThanARead_isFilledInSeveral() {
        TestReader reader = harness.connectAtTail();
        harness.say(2);

        broker.drop(1_500);
        harness.say(1);

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
    void messageOfAnEpochThatEnded_isPassedOver() {
        TestReader reader = harness.connectAtTail();
        harness.say(2);
        var late = new StoredMessage(new EventId("old", 3), broker.log().get(0).message());

        broker.deliver(late);
        harness.say(1);

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 3));
    }

    @Test
    void messagesDuringTheOpeningOfARoom_areNotLost() {
        broker.drop(1);
        broker.hold();
        TestReader reader = harness.connect(new StartPosition.Newest(10));
        broker.say(3);

        harness.release();

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 4));
    }

    @Test
    void lostNewestMessages_areFoundOnceDeliveryRestarts() {
        TestReader reader = harness.connectAtTail();
        harness.say(2);

        broker.drop(4);
        harness.run();
        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 2));
        broker.resubscribe();
        harness.run();

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 6));
    }

    @Test
    void rejoin_whileAReadIsUnderWay_readsAgain() {
        TestReader reader = harness.connectAtTail();
        harness.say(2);
        broker.hold();
        broker.resubscribe();
        broker.drop(2);

        broker.resubscribe();
        harness.release();

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 4));
    }

    @Test
    void audit_findsWhatWasNeverHeard() {
        HubHarness audited = HubHarness.with(LogSettings.DEFAULT.withAudit(HubHarness.AT_ONCE));
        TestReader reader = audited.connectAtTail();
        audited.broker.drop(2);

        audited.tick();

        assertThat(reader.delivered()).isEqualTo(audited.messages(1, 2));
    }

    @Test
    void audit_thatIsNotDue_asksTheBrokerNothing() {
        harness.connectAtTail();
        int reads = broker.reads();

        harness.tick();

        assertThat(broker.reads()).isEqualTo(reads);
    }
}
