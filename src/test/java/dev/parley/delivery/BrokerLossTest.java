package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.log.ScriptedBroker;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When the broker has lost messages, the pod detects it, and readers receive a gap there. */
class BrokerLossTest {

    private final HubHarness harness = new HubHarness();
    private final ScriptedBroker broker = harness.broker;

    @Test
    void brokerThatLostEverything_startsANewEpoch_andReadersReceiveAGap() {
        TestReader reader = harness.connectAndPublish(3);

        broker.loseAll();
        harness.publish(2);

        assertGapThenAllRetained(reader, "epoch0-3");
        harness.publish(1);
        assertThat(reader.lines()).last().isEqualTo(harness.message(3));
        assertThat(broker.endedEpochs()).isEmpty();
    }

    @Test
    void brokerThatLostEverything_isDetected_onceDeliveryRestarts() {
        TestReader reader = harness.connectAndPublish(3);

        broker.loseAll();
        harness.interrupt();
        harness.publish(1);

        assertThat(reader.lines())
                .endsWith("gap epoch0-3 none epoch1-0", "at epoch1-0", harness.message(1));
    }

    /** The broker counts past the lost offsets if it stores more messages than it lost. */
    @ParameterizedTest
    @ValueSource(ints = {0, 4})
    void brokerThatLostItsNewestMessages_hasItsEpochEnded(int storedSince) {
        TestReader reader = harness.connectAndPublish(6);

        broker.loseNewest(2);
        broker.storeUndelivered(storedSince);
        harness.interrupt();

        assertThat(broker.endedEpochs()).containsExactly("epoch0");
        assertGapThenAllRetained(reader, "epoch0-6");
    }

    @Test
    void otherMessageUnderAKnownId_isDetected_withoutARestartOfDelivery() {
        TestReader reader = harness.connectAndPublish(6);

        broker.loseNewest(2);
        harness.publish(1);

        assertThat(broker.endedEpochs()).containsExactly("epoch0");
        assertGapThenAllRetained(reader, "epoch0-6");
    }

    @Test
    void messagesReceivedEarly_thatTheBrokerLost_areNeverDelivered() {
        TestReader reader = harness.connectAndPublish(4);
        broker.goDown();
        broker.storeUndelivered(1);
        broker.publish(3);

        broker.loseNewest(4);
        broker.comeUp();
        harness.interrupt();
        harness.publish(2);

        harness.await(reader, harness.message(6));
        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 6));
        assertThat(broker.reads()).isLessThan(20);
    }

    @Test
    void answerFromBeforeTheLoss_isNotContinuedWithLaterMessages() {
        TestReader reader = harness.connectAtTail();
        broker.holdAnswers();
        broker.storeUndelivered(1);
        broker.publish(1);

        broker.loseNewest(1);
        broker.interrupt();
        broker.publish(2);
        harness.releaseAnswers();

        assertThat(broker.endedEpochs()).containsExactly("epoch0");
        assertGapThenAllRetained(reader, "epoch0-0");
    }

    @Test
    void trimmedMessages_thatWereNeverDelivered_areAGap() {
        TestReader reader = harness.connectAndPublish(3);

        broker.storeUndelivered(20);
        broker.trim(15);
        harness.interrupt();

        assertGapThenAllRetained(reader, "epoch0-3");
    }

    /** The reader has received messages before its gap, and is not slow. */
    @Test
    void messagesAfterAGap_thatAreTrimmedBeforeTheyAreRead_areAnotherGap() {
        TestReader reader = harness.connectAndPublish(3);
        broker.storeUndelivered(60);
        broker.trim(20);
        broker.holdAnswers();
        harness.interrupt();

        // Each read sees two messages that are gone when its answer comes.
        for (int i = 0; i < 10; i++) {
            broker.trim(2);
            harness.releaseOneAnswer();
        }
        harness.releaseAnswers();

        assertThat(harness.count("parley.disconnects", "reason", "slow-consumer")).isZero();
        assertThat(reader.lines())
                .filteredOn(line -> line.startsWith("gap "))
                .hasSizeGreaterThan(1);
        assertThat(reader.delivered()).endsWith(harness.message(62), harness.message(63));
    }

    @Test
    void deletedMessages_areAGap_andWhatFollowsIsDelivered() {
        TestReader reader = harness.connectAndPublish(3);

        broker.storeUndelivered(2);
        broker.delete(4);
        broker.delete(5);
        harness.publish(2);

        assertThat(reader.lines().subList(4, 8))
                .containsExactly(
                        "gap epoch0-3 epoch0-6 epoch0-7",
                        "at epoch0-5",
                        harness.message(6),
                        harness.message(7));
        assertThat(broker.reads()).isLessThan(20);
    }

    @Test
    void deletedNewestMessages_areAGap_andTheReaderContinues() {
        TestReader reader = harness.connectAndPublish(3);

        broker.storeUndelivered(2);
        broker.delete(4);
        broker.delete(5);
        harness.interrupt();
        harness.publish(1);

        assertThat(reader.lines().subList(4, 7))
                .containsExactly("gap epoch0-3 none epoch0-5", "at epoch0-5", harness.message(6));
        assertThat(broker.reads()).isLessThan(20);
    }

    @Test
    void deletedMessages_thatTheReaderHas_areNotAGap() {
        TestReader reader = harness.connectAndPublish(5);
        List<String> received = harness.messages(1, 5);

        broker.delete(3);
        broker.interrupt();
        harness.publish(1);

        assertThat(reader.delivered()).startsWith(received.toArray(String[]::new)).hasSize(6);
        assertThat(reader.lines()).last().isEqualTo(harness.message(6));
    }

    @Test
    void brokerThatWasReplacedForAMoment_andLostNothing_isNotAGap() {
        TestReader reader = harness.connectAndPublish(3);
        int reads = broker.reads();

        broker.answerNextReadFromAnEmptyLog();
        harness.interrupt();
        assertThat(broker.reads() - reads)
                .as("reads, all of them by the room and none by the reader")
                .isEqualTo(2);

        harness.publish(1);

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 4));
    }

    private void assertGapThenAllRetained(TestReader reader, String requested) {
        long oldest = broker.oldest();
        String gap =
                "gap " + requested + " " + broker.id(oldest) + " " + broker.id(broker.newest());
        List<String> lines = reader.lines();
        int at = lines.indexOf(gap);
        assertThat(at).as("gap in %s", lines).isPositive();
        String position = "at " + broker.id(oldest - 1);
        assertThat(lines.subList(at + 1, lines.size()))
                .isEqualTo(harness.lineThenMessages(position, oldest, broker.newest()));
    }
}
