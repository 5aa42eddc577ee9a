package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.log.ScriptedBroker;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A broker that lost messages is found out, and its readers are told of the gap at that place. */
class BrokerLossTest {

    private final HubHarness harness = new HubHarness();
    private final ScriptedBroker broker = harness.broker;

    @Test
    void brokerThatLostEverything_isANewEpoch_andAGapForReaders() {
        TestReader reader = harness.connectAtTail();
        harness.say(3);

        broker.loseAll();
        harness.say(2);

        assertGapThenAllRetained(reader, "epoch0-3");
        harness.say(1);
        assertThat(reader.lines()).last().isEqualTo(harness.message(3));
        assertThat(broker.endedEpochs()).isEmpty();
    }

    @Test
    void brokerThatLostEverything_saysSoOnceDeliveryRestarts() {
        TestReader reader = harness.connectAtTail();
        harness.say(3);

        broker.loseAll();
        broker.resubscribe();
        harness.run();
        harness.say(1);

        assertThat(reader.lines())
                .endsWith("at epoch1-0", "gap epoch0-3 none epoch1-0", harness.message(1));
    }

    @Test
    void brokerThatLostItsNewestMessages_hasItsEpochEnded() {
        TestReader reader = harness.connectAtTail();
        harness.say(6);

        broker.lose(2);
        broker.resubscribe();
        harness.run();

        assertThat(broker.endedEpochs()).containsExactly("epoch0");
        assertGapThenAllRetained(reader, "epoch0-6");
    }

    @Test
    void brokerThatLostItsNewestMessages_andCountedOnPastThem_isFoundOut() {
        TestReader reader = harness.connectAtTail();
        harness.say(6);

        broker.lose(2);
        broker.drop(4);
        broker.resubscribe();
        harness.run();

        assertThat(broker.endedEpochs()).containsExactly("epoch0");
        assertGapThenAllRetained(reader, "epoch0-6");
    }

    @Test
    void otherMessageUnderAKnownId_isFoundOut_withoutARestartOfDelivery() {
        TestReader reader = harness.connectAtTail();
        harness.say(6);

        broker.lose(2);
        harness.say(1);

        assertThat(broker.endedEpochs()).containsExactly("epoch0");
        assertGapThenAllRetained(reader, "epoch0-6");
    }

    @Test
    void messagesHeardEarly_thatTheBrokerLost_areNeverDelivered() {
        TestReader reader = harness.connectAtTail();
        harness.say(4);
        broker.away();
        broker.drop(1);
        broker.say(3);

        broker.lose(4);
        broker.back();
        broker.resubscribe();
        harness.run();
        harness.say(2);

        harness.await(reader, harness.message(6));
        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 6));
        assertThat(broker.reads()).isLessThan(20);
    }

    @Test
    void answerFromBeforeTheLoss_doesNotLetInWhatFollowsIt() {
        TestReader reader = harness.connectAtTail();
        broker.hold();
        broker.drop(1);
        broker.say(1);

        broker.lose(1);
        broker.resubscribe();
        broker.say(2);
        harness.release();

        assertThat(broker.endedEpochs()).containsExactly("epoch0");
        assertGapThenAllRetained(reader, "epoch0-0");
    }

    @Test
    void trimmedMessages_thatWereNeverHeard_areAGap() {
        TestReader reader = harness.connectAtTail();
        harness.say(3);

        broker.drop(20);
        broker.trim(15);
        broker.resubscribe();
        harness.run();

        assertGapThenAllRetained(reader, "epoch0-3");
    }

    @Test
    void deletedMessages_areAGap_andWhatFollowsIsDelivered() {
        TestReader reader = harness.connectAtTail();
        harness.say(3);

        broker.drop(2);
        broker.delete(4);
        broker.delete(5);
        harness.say(2);

        assertThat(reader.lines().subList(4, 8))
                .containsExactly(
                        "at epoch0-5",
                        "gap epoch0-3 epoch0-6 epoch0-7",
                        harness.message(6),
                        harness.message(7));
        assertThat(broker.reads()).isLessThan(20);
    }

    @Test
    void deletedNewestMessages_areAGap_andTheReaderGoesOn() {
        TestReader reader = harness.connectAtTail();
        harness.say(3);

        broker.drop(2);
        broker.delete(4);
        broker.delete(5);
        broker.resubscribe();
        harness.run();
        harness.say(1);

        assertThat(reader.lines().subList(4, 7))
                .containsExactly("at epoch0-5", "gap epoch0-3 none epoch0-5", harness.message(6));
        assertThat(broker.reads()).isLessThan(20);
    }

    @Test
    void deletedMessages_behindTheReaders_areNoConcernOfTheirs() {
        TestReader reader = harness.connectAtTail();
        harness.say(5);
        List<String> said = harness.messages(1, 5);

        broker.delete(3);
        broker.resubscribe();
        harness.say(1);

        assertThat(reader.delivered()).startsWith(said.toArray(String[]::new)).hasSize(6);
        assertThat(reader.lines()).last().isEqualTo(harness.message(6));
    }

    @Test
    void brokerThatWasReplacedForAMoment_andForgotNothing_isNoGap() {
        TestReader reader = harness.connectAtTail();
        harness.say(3);
        int reads = broker.reads();

        broker.answerOnceAsAnEmptyBroker();
        broker.resubscribe();
        harness.run();
        assertThat(broker.reads() - reads).as("by the room, by no reader").isEqualTo(2);
        harness.say(1);

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 4));
    }

    private void assertGapThenAllRetained(TestReader reader, String requested) {
        long oldest = broker.oldest();
        String gap =
                "gap " + requested + " " + broker.id(oldest) + " " + broker.id(broker.newest());
        List<String> lines = reader.lines();
        int at = lines.indexOf(gap);
        assertThat(at).as("gap in %s", lines).isPositive();
        assertThat(lines.get(at - 1)).isEqualTo("at " + broker.id(oldest - 1));
        assertThat(lines.subList(at, lines.size()))
                .isEqualTo(harness.lineThenMessages(gap, oldest, broker.newest()));
    }
}
