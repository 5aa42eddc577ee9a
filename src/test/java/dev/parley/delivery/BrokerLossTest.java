package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Timeouts;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A broker that lost messages is found out, and its readers are told of the gap at that place. */
class BrokerLossTest {

    private final Scene scene = new Scene();
    private final ScriptedBroker broker = scene.broker;

    @Test
    void brokerThatLostEverything_isANewEpoch_andAGapForReaders() {
        TestReader reader = scene.connectAtTail();
        scene.say(3);

        broker.loseAll();
        scene.say(2);

        assertGapThenAllRetained(reader, "epoch0-3");
        scene.say(1);
        assertThat(reader.lines()).last().isEqualTo(scene.message(3));
        assertThat(broker.endedEpochs()).isEmpty();
    }

    @Test
    void brokerThatLostEverything_saysSoOnceDeliveryRestarts() {
        TestReader reader = scene.connectAtTail();
        scene.say(3);

        broker.loseAll();
        broker.rejoin();
        scene.run();
        scene.say(1);

        assertThat(reader.lines())
                .endsWith("at epoch1-0", "gap epoch0-3 none epoch1-0", scene.message(1));
    }

    @Test
    void brokerThatLostItsNewestMessages_hasItsEpochEnded() {
        TestReader reader = scene.connectAtTail();
        scene.say(6);

        broker.lose(2);
        broker.rejoin();
        scene.run();

        assertThat(broker.endedEpochs()).containsExactly("epoch0");
        assertGapThenAllRetained(reader, "epoch0-6");
    }

    @Test
    void brokerThatLostItsNewestMessages_andCountedOnPastThem_isFoundOut() {
        TestReader reader = scene.connectAtTail();
        scene.say(6);

        broker.lose(2);
        broker.drop(4);
        broker.rejoin();
        scene.run();

        assertThat(broker.endedEpochs()).containsExactly("epoch0");
        assertGapThenAllRetained(reader, "epoch0-6");
    }

    @Test
    void otherMessageUnderAKnownId_isFoundOut_withoutARestartOfDelivery() {
        TestReader reader = scene.connectAtTail();
        scene.say(6);

        broker.lose(2);
        scene.say(1);

        assertThat(broker.endedEpochs()).containsExactly("epoch0");
        assertGapThenAllRetained(reader, "epoch0-6");
    }

    @Test
    void brokerThatLostWhatWasHeardEarly_isFoundOut_andNothingOfItIsDelivered() {
        TestReader reader = scene.connectAtTail();
        scene.say(4);
        broker.away();
        broker.drop(1);
        broker.say(3);

        broker.lose(4);
        broker.back();
        broker.rejoin();

        // A read that failed is tried again on a thread of its own, perhaps just now.
        Timeouts.await("end of the epoch").until(() -> !broker.endedEpochs().isEmpty());
        assertThat(broker.endedEpochs()).containsExactly("epoch0");
        assertThat(broker.reads()).isLessThan(20);
        scene.say(2);
        scene.await(reader, scene.message(6));
        List<String> lines = reader.lines();
        assertThat(lines.subList(lines.size() - 6, lines.size())).isEqualTo(scene.messages(1, 6));
    }

    @Test
    void answerFromBeforeTheLoss_doesNotLetInWhatFollowsIt() {
        TestReader reader = scene.connectAtTail();
        broker.hold();
        broker.drop(1);
        broker.say(1);

        broker.lose(1);
        broker.rejoin();
        broker.say(2);
        scene.release();

        assertThat(broker.endedEpochs()).containsExactly("epoch0");
        assertGapThenAllRetained(reader, "epoch0-0");
    }

    @Test
    void trimmedMessages_thatWereNeverHeard_areAGap() {
        TestReader reader = scene.connectAtTail();
        scene.say(3);

        broker.drop(20);
        broker.trim(15);
        broker.rejoin();
        scene.run();

        assertGapThenAllRetained(reader, "epoch0-3");
    }

    @Test
    void deletedMessages_areAGap_andWhatFollowsIsDelivered() {
        TestReader reader = scene.connectAtTail();
        scene.say(3);

        broker.drop(2);
        broker.delete(4);
        broker.delete(5);
        scene.say(2);

        assertThat(reader.lines().subList(4, 8))
                .containsExactly(
                        "at epoch0-5",
                        "gap epoch0-3 epoch0-6 epoch0-7",
                        scene.message(6),
                        scene.message(7));
        assertThat(broker.reads()).isLessThan(20);
    }

    @Test
    void deletedNewestMessages_areAGap_andTheReaderGoesOn() {
        TestReader reader = scene.connectAtTail();
        scene.say(3);

        broker.drop(2);
        broker.delete(4);
        broker.delete(5);
        broker.rejoin();
        scene.run();
        scene.say(1);

        assertThat(reader.lines().subList(4, 7))
                .containsExactly("at epoch0-5", "gap epoch0-3 none epoch0-5", scene.message(6));
        assertThat(broker.reads()).isLessThan(20);
    }

    @Test
    void deletedMessages_behindTheReaders_areNoConcernOfTheirs() {
        TestReader reader = scene.connectAtTail();
        scene.say(5);
        List<String> said = scene.messages(1, 5);

        broker.delete(3);
        broker.rejoin();
        scene.say(1);

        assertThat(reader.delivered()).startsWith(said.toArray(String[]::new)).hasSize(6);
        assertThat(reader.lines()).last().isEqualTo(scene.message(6));
    }

    @Test
    void brokerThatWasReplacedForAMoment_andForgotNothing_isNoGap() {
        TestReader reader = scene.connectAtTail();
        scene.say(3);
        int reads = broker.reads();

        broker.letAStrangerAnswerOnce();
        broker.rejoin();
        scene.run();
        assertThat(broker.reads() - reads).as("by the room, by no reader").isEqualTo(2);
        scene.say(1);

        assertThat(reader.delivered()).isEqualTo(scene.messages(1, 4));
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
                .isEqualTo(scene.lineThenMessages(gap, oldest, broker.newest()));
    }
}
