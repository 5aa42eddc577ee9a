package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.message.EventId;
import dev.parley.message.StoredMessage;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Delivery that drops, repeats and reorders messages: a reader that is always in time gets each of
 * them once and in order all the same.
 */
class MissedMessagesTest {

    private final Scene scene = new Scene();
    private final ScriptedBroker broker = scene.broker;

    @Test
    void messagesAfterAHole_waitForIt() {
        TestReader reader = scene.connectAtTail();
        scene.say(2);
        broker.hold();

        broker.drop(1);
        scene.say(3);

        assertThat(reader.delivered()).isEqualTo(scene.messages(1, 2));
        scene.release();
        assertThat(reader.delivered()).isEqualTo(scene.messages(1, 6));
        assertThat(scene.count("parley.backfills")).isOne();
    }

    @Test
    void holeLongerThanARead_isFilledInSeveral() {
        TestReader reader = scene.connectAtTail();
        scene.say(2);

        broker.drop(1_500);
        scene.say(1);

        assertThat(reader.delivered()).isEqualTo(scene.messages(1, 1_503));
    }

    @Test
    void lateAndRepeatedMessages_areNotDeliveredAgain() {
        TestReader reader = scene.connectAtTail();
        StoredMessage first = broker.store();
        StoredMessage second = broker.store();
        StoredMessage third = broker.store();

        List.of(third, first, third, second, second, first).forEach(broker::deliver);
        scene.run();

        assertThat(reader.delivered()).isEqualTo(scene.messages(1, 3));
    }

    @Test
    void messageOfAnEpochThatEnded_isPassedOver() {
        TestReader reader = scene.connectAtTail();
        scene.say(2);
        var late = new StoredMessage(new EventId("old", 3), broker.log().get(0).message());

        broker.deliver(late);
        scene.say(1);

        assertThat(reader.delivered()).isEqualTo(scene.messages(1, 3));
    }

    @Test
    void messagesDuringTheOpeningOfARoom_areNotLost() {
        broker.drop(1);
        broker.hold();
        TestReader reader = scene.connect(new Start.Newest(10));
        broker.say(3);

        scene.release();

        assertThat(reader.delivered()).isEqualTo(scene.messages(1, 4));
    }

    @Test
    void lostNewestMessages_areFoundOnceDeliveryRestarts() {
        TestReader reader = scene.connectAtTail();
        scene.say(2);

        broker.drop(4);
        scene.run();
        assertThat(reader.delivered()).isEqualTo(scene.messages(1, 2));
        broker.rejoin();
        scene.run();

        assertThat(reader.delivered()).isEqualTo(scene.messages(1, 6));
    }

    @Test
    void rejoin_whileAReadIsUnderWay_readsAgain() {
        TestReader reader = scene.connectAtTail();
        scene.say(2);
        broker.hold();
        broker.rejoin();
        broker.drop(2);

        broker.rejoin();
        scene.release();

        assertThat(reader.delivered()).isEqualTo(scene.messages(1, 4));
    }

    @Test
    void audit_findsWhatWasNeverHeard() {
        Scene audited = Scene.with(LogSettings.DEFAULT.withAudit(Scene.AT_ONCE));
        TestReader reader = audited.connectAtTail();
        audited.broker.drop(2);

        audited.tick();

        assertThat(reader.delivered()).isEqualTo(audited.messages(1, 2));
    }

    @Test
    void audit_thatIsNotDue_asksTheBrokerNothing() {
        scene.connectAtTail();
        int reads = broker.reads();

        scene.tick();

        assertThat(broker.reads()).isEqualTo(reads);
    }
}
