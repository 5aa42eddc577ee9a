package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.message.EventId;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A reader that takes no bytes for a while: it stays in order, and costs nobody anything. */
class SlowReaderTest {

    private final Scene scene = new Scene();
    private final ScriptedBroker broker = scene.broker;

    @Test
    void stalledReader_hasOneBatchQueuedAtMost_andDelaysNobody() {
        TestReader stalled = scene.connectAtTail();
        TestReader other = scene.connectAtTail();
        scene.stall(stalled);

        int queued = stalled.connection().queued();
        scene.say(5_000);

        assertThat(stalled.connection().queued()).isEqualTo(queued);
        assertThat(other.delivered()).isEqualTo(scene.messages(1, 5_001));
    }

    @Test
    void slowReader_insideTheLog_continuesFromIt() {
        TestReader reader = scene.connectAtTail();
        scene.say(1);

        reader.connection().stall();
        scene.say(6);
        scene.drain(reader);

        assertThat(reader.delivered()).isEqualTo(scene.messages(1, 7));
        assertThat(scene.count("parley.replayed.messages")).isZero();
    }

    @Test
    void slowReader_behindTheLog_continuesFromTheHistory() {
        TestReader reader = scene.connectAtTail();
        scene.say(1);

        scene.stall(reader);
        scene.say(700);
        scene.drain(reader);

        assertThat(reader.delivered()).isEqualTo(scene.messages(1, 702));
        assertThat(scene.count("parley.replayed.messages")).isGreaterThan(600);
    }

    @Test
    void slowReader_thatTakesABitNowAndThen_staysInOrder() {
        TestReader reader = scene.connectAtTail();
        reader.connection().stall();

        for (int i = 0; i < 50; i++) {
            scene.say(i);
            reader.connection().drainOnce();
            scene.run();
        }
        scene.drain(reader);

        assertThat(reader.delivered()).isEqualTo(scene.messages(1, broker.newest()));
    }

    @Test
    void slowReader_behindTheHistory_isLetGo_andToldOfTheGapWhenItIsBack() {
        TestReader reader = scene.connectAtTail();
        scene.stall(reader);
        scene.say(100);

        broker.trim(50);
        scene.drain(reader);

        assertThat(reader.lines())
                .containsExactly("at epoch0-0", "epoch0-1 text1", "goodbye slow-consumer");
        assertThat(reader.connection().isEnded()).isTrue();
        assertThat(scene.count("parley.disconnects", "reason", "slow-consumer")).isOne();
        assertThat(scene.resume(new EventId("epoch0", 1)).delivered())
                .startsWith("gap epoch0-1 epoch0-51 epoch0-101");
    }

    @Test
    void deletedMessages_behindTheLog_areAGap_andWhatFollowsIsDelivered() {
        TestReader reader = scene.connectAtTail();
        scene.stall(reader);
        scene.say(100);

        broker.delete(2);
        broker.delete(3);
        scene.drain(reader);

        assertThat(reader.lines().subList(0, 3))
                .containsExactly("at epoch0-0", scene.message(1), "at epoch0-3");
        assertThat(reader.lines().subList(3, reader.lines().size()))
                .isEqualTo(scene.lineThenMessages("gap epoch0-1 epoch0-4 epoch0-101", 4, 101));
        assertThat(scene.count("parley.resumes", "outcome", "gap")).isOne();
    }

    @Test
    void replay_endsWhereTheReadersRoomDoes_whateverTheHistoryHas() {
        TestReader reader = scene.connectAtTail();
        scene.stall(reader);
        scene.say(20);
        broker.drop(3);

        scene.drain(reader);

        assertThat(reader.delivered()).isEqualTo(scene.messages(1, 21));
    }

    @Test
    void replay_fromBeforeALoss_endsWhereTheReadersRoomWasThen() {
        TestReader reader = scene.connectAtTail();
        scene.stall(reader);
        scene.say(20);
        broker.drop(3);
        broker.hold();
        scene.drain(reader);

        broker.lose(3);
        scene.say(3);
        scene.release();

        assertThat(reader.delivered()).isEqualTo(scene.messages(1, 24));
        assertThat(broker.endedEpochs()).as("the room had none of what was lost").isEmpty();
    }

    @Test
    void replay_duringARestartOfDelivery_goesOnAfterIt() {
        TestReader reader = scene.connectAtTail();
        scene.stall(reader);
        scene.say(20);
        broker.hold();
        scene.drain(reader);

        broker.rejoin();
        scene.release();

        assertThat(reader.delivered()).isEqualTo(scene.messages(1, 21));
    }

    @Test
    void replay_ofMessagesThatTheBrokerLost_isAGap() {
        TestReader reader = scene.connectAtTail();
        scene.stall(reader);
        scene.say(20);

        broker.lose(20);
        scene.drain(reader);

        assertThat(broker.endedEpochs()).containsExactly("epoch0");
        assertThat(reader.lines())
                .containsExactly(
                        "at epoch0-0",
                        "epoch0-1 text1",
                        "at epoch1-0",
                        "gap epoch0-1 epoch1-1 epoch1-1",
                        "epoch1-1 text1");
    }

    @Test
    void replay_acrossTheEndOfAnEpoch_isOneGap() {
        TestReader reader = scene.connectAtTail();
        scene.stall(reader);
        scene.say(50);
        broker.loseAll();
        broker.drop(3);

        broker.hold();
        scene.drain(reader);
        for (int i = 0; i < 10; i++) {
            scene.answer();
            scene.tick();
            scene.say(1);
        }
        scene.release();
        scene.say(1);

        List<String> lines = reader.lines();
        assertThat(lines).filteredOn(line -> line.startsWith("gap")).hasSize(1);
        int gap = lines.size() - 15;
        assertThat(lines.get(gap)).startsWith("gap epoch0-");
        assertThat(lines.subList(gap + 1, lines.size())).isEqualTo(scene.messages(1, 14));
    }
}
