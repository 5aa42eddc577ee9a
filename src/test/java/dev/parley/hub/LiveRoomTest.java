package dev.parley.hub;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.hub.Scene.Reader;
import dev.parley.message.EventId;
import dev.parley.message.StoredMessage;
import dev.parley.testsupport.Patience;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How a room keeps its log equal to the broker's, seen by a reader that is always in time. */
class LiveRoomTest {

    private final Scene scene = new Scene();
    private final ScriptedBroker broker = scene.broker;

    @Test
    void hole_isFilled_beforeWhatCameAfterItIsDelivered() {
        Reader reader = scene.connectAtTail();
        scene.say(2);

        broker.drop(3);
        scene.say(2);

        assertThat(delivered(reader)).isEqualTo(scene.messages(1, 7));
        assertThat(scene.count("parley.backfills")).isOne();
    }

    @Test
    void messagesAfterAHole_waitForIt() {
        Reader reader = scene.connectAtTail();
        scene.say(2);
        broker.hold();

        broker.drop(1);
        scene.say(3);

        assertThat(delivered(reader)).isEqualTo(scene.messages(1, 2));
        broker.release();
        scene.run();
        assertThat(delivered(reader)).isEqualTo(scene.messages(1, 6));
    }

    @Test
    void holeLongerThanARead_isFilledInSeveral() {
        Reader reader = scene.connectAtTail();
        scene.say(2);

        broker.drop(1_500);
        scene.say(1);

        assertThat(delivered(reader)).isEqualTo(scene.messages(1, 1_503));
    }

    @Test
    void lateAndRepeatedMessages_areNotDeliveredAgain() {
        Reader reader = scene.connectAtTail();
        StoredMessage first = broker.store();
        StoredMessage second = broker.store();
        StoredMessage third = broker.store();

        List.of(third, first, third, second, second, first).forEach(broker::deliver);
        scene.run();

        assertThat(delivered(reader)).isEqualTo(scene.messages(1, 3));
    }

    @Test
    void lostNewestMessages_areFoundOnceDeliveryRestarts() {
        Reader reader = scene.connectAtTail();
        scene.say(2);

        broker.drop(4);
        scene.run();
        assertThat(delivered(reader)).isEqualTo(scene.messages(1, 2));
        broker.rejoin();
        scene.run();

        assertThat(delivered(reader)).isEqualTo(scene.messages(1, 6));
    }

    @Test
    void rejoin_whileAReadIsUnderWay_readsAgain() {
        Reader reader = scene.connectAtTail();
        scene.say(2);
        broker.hold();
        broker.rejoin();
        broker.drop(2);

        broker.rejoin();
        broker.release();
        scene.run();

        assertThat(delivered(reader)).isEqualTo(scene.messages(1, 4));
    }

    @Test
    void failedRead_isTriedAgain_onceForAllThatAskedForIt() {
        Reader reader = scene.connectAtTail();
        scene.say(2);
        broker.away();
        broker.drop(1);
        scene.say(200);
        int readsWhileAway = broker.reads();

        broker.back();
        scene.await(reader, scene.messages(203, 203).get(0));

        assertThat(delivered(reader)).isEqualTo(scene.messages(1, 203));
        assertThat(broker.reads() - readsWhileAway).isLessThan(10);
    }

    @Test
    void brokerThatLostEverything_isANewEpoch_andAGapForReaders() {
        Reader reader = scene.connectAtTail();
        scene.say(3);

        broker.loseAll();
        scene.say(2);

        assertThat(reader.lines().subList(4, 8))
                .containsExactly(
                        "at epoch1-0",
                        "gap epoch0-3 epoch1-1 epoch1-2",
                        scene.messages(1, 2).get(0),
                        scene.messages(1, 2).get(1));
        scene.say(1);
        assertThat(reader.lines().get(8)).isEqualTo(scene.messages(3, 3).get(0));
        assertThat(broker.endedEpochs()).isEmpty();
    }

    @Test
    void brokerThatLostEverything_saysSoOnceDeliveryRestarts() {
        Reader reader = scene.connectAtTail();
        scene.say(3);

        broker.loseAll();
        broker.rejoin();
        scene.run();

        assertThat(reader.lines().subList(4, 6))
                .containsExactly("at epoch1-0", "gap epoch0-3 none epoch1-0");
        scene.say(1);
        assertThat(reader.lines().get(6)).isEqualTo(scene.messages(1, 1).get(0));
    }

    @Test
    void brokerThatLostItsNewestMessages_hasItsEpochEnded() {
        Reader reader = scene.connectAtTail();
        scene.say(6);
        String former = broker.epoch();

        broker.lose(2);
        broker.rejoin();
        scene.run();

        assertThat(broker.endedEpochs()).containsExactly(former);
        assertGapThenAllRetained(reader, former + "-6");
    }

    @Test
    void brokerThatLostItsNewestMessages_andCountedOnPastThem_isFoundOut() {
        Reader reader = scene.connectAtTail();
        scene.say(6);
        String former = broker.epoch();

        broker.lose(2);
        broker.drop(4);
        broker.rejoin();
        scene.run();

        assertThat(broker.endedEpochs()).containsExactly(former);
        assertGapThenAllRetained(reader, former + "-6");
    }

    @Test
    void otherMessageUnderAKnownId_isFoundOut_withoutARestartOfDelivery() {
        Reader reader = scene.connectAtTail();
        scene.say(6);
        String former = broker.epoch();

        broker.lose(2);
        scene.say(1);

        assertThat(broker.endedEpochs()).containsExactly(former);
        assertGapThenAllRetained(reader, former + "-6");
    }

    @Test
    void brokerThatLostWhatWasHeardEarly_isFoundOut_andNothingOfItIsDelivered() {
        Reader reader = scene.connectAtTail();
        scene.say(4);
        String former = broker.epoch();
        broker.away();
        broker.drop(1);
        broker.say(3);

        broker.lose(4);
        broker.back();
        broker.rejoin();

        // A read that failed is tried again on a thread of its own, perhaps just now.
        Patience.await("end of the epoch").until(() -> !broker.endedEpochs().isEmpty());
        assertThat(broker.endedEpochs()).containsExactly(former);
        assertThat(broker.reads()).isLessThan(20);
        scene.say(2);
        scene.await(reader, scene.messages(6, 6).get(0));
        List<String> lines = reader.lines();
        assertThat(lines.subList(lines.size() - 6, lines.size())).isEqualTo(scene.messages(1, 6));
    }

    @Test
    void answerFromBeforeTheLoss_doesNotLetInWhatFollowsIt() {
        Reader reader = scene.connectAtTail();
        String former = broker.epoch();
        broker.hold();
        broker.drop(1);
        broker.say(1);

        broker.lose(1);
        broker.rejoin();
        broker.say(2);
        broker.release();
        scene.run();

        assertThat(broker.endedEpochs()).containsExactly(former);
        assertGapThenAllRetained(reader, former + "-0");
    }

    @Test
    void deletedMessages_areAGap_andWhatFollowsIsDelivered() {
        Reader reader = scene.connectAtTail();
        scene.say(3);

        broker.drop(2);
        broker.delete(4);
        broker.delete(5);
        scene.say(2);

        assertThat(reader.lines().subList(4, 8))
                .containsExactly(
                        "at epoch0-5",
                        "gap epoch0-3 epoch0-6 epoch0-7",
                        scene.messages(6, 6).get(0),
                        scene.messages(7, 7).get(0));
        assertThat(broker.reads()).isLessThan(20);
    }

    @Test
    void deletedNewestMessages_areAGap_andTheReaderGoesOn() {
        Reader reader = scene.connectAtTail();
        scene.say(3);

        broker.drop(2);
        broker.delete(4);
        broker.delete(5);
        broker.rejoin();
        scene.run();

        assertThat(reader.lines().subList(4, 6))
                .containsExactly("at epoch0-5", "gap epoch0-3 none epoch0-5");
        scene.say(1);
        assertThat(reader.lines().get(6)).isEqualTo(scene.messages(6, 6).get(0));
        assertThat(broker.reads()).isLessThan(20);
    }

    @Test
    void deletedMessages_behindTheReaders_areNoConcernOfTheirs() {
        Reader reader = scene.connectAtTail();
        scene.say(5);

        broker.delete(3);
        broker.rejoin();
        scene.say(1);

        assertThat(delivered(reader)).hasSize(6);
        assertThat(reader.lines()).noneMatch(line -> line.startsWith("gap"));
    }

    @Test
    void trimmedMessages_thatWereNeverHeard_areAGap() {
        Reader reader = scene.connectAtTail();
        scene.say(3);

        broker.drop(20);
        broker.trim(15);
        broker.rejoin();
        scene.run();

        assertGapThenAllRetained(reader, "epoch0-3");
    }

    @Test
    void messageOfAnEpochThatEnded_isPassedOver() {
        Reader reader = scene.connectAtTail();
        scene.say(2);
        var late = new StoredMessage(new EventId("old", 3), broker.log().get(0).message());

        broker.deliver(late);
        scene.say(1);

        assertThat(delivered(reader)).isEqualTo(scene.messages(1, 3));
    }

    @Test
    void roomThatCouldNotBeOpened_isOpenedForTheNextReader() {
        broker.away();
        Reader early = scene.connectAtTail();
        assertThat(early.lines()).containsExactly("goodbye unavailable");
        assertThat(early.connection().isEnded()).isTrue();

        broker.back();
        Reader next = scene.connectAtTail();
        scene.say(1);

        assertThat(next.lines()).containsExactly("at epoch0-0", scene.messages(1, 1).get(0));
    }

    @Test
    void messagesDuringTheOpeningOfARoom_areNotLost() {
        broker.store();
        broker.hold();
        Reader reader = scene.connect(new Start.Newest(10));
        broker.say(3);

        broker.release();
        scene.run();

        assertThat(delivered(reader)).isEqualTo(scene.messages(1, 4));
    }

    @Test
    void plainText_isForReadersOfTheLobbyOnly() {
        Reader reader = scene.connectAtTail();

        broker.sayPlain("hello");
        scene.run();

        assertThat(delivered(reader)).isEmpty();
    }

    private void assertGapThenAllRetained(Reader reader, String requested) {
        List<String> lines = reader.lines();
        int gap =
                lines.indexOf(
                        "gap %s %s %s"
                                .formatted(
                                        requested,
                                        broker.id(broker.oldest()),
                                        broker.id(broker.newest())));
        assertThat(gap).as("gap in %s", lines).isPositive();
        assertThat(lines.get(gap - 1)).isEqualTo("at " + broker.id(broker.oldest() - 1));
        assertThat(lines.subList(gap + 1, lines.size()))
                .isEqualTo(scene.messages(broker.oldest(), broker.newest()));
    }

    /** What a reader got after it was told where it is. */
    private static List<String> delivered(Reader reader) {
        List<String> lines = new ArrayList<>(reader.lines());
        assertThat(lines.remove(0)).startsWith("at ");
        return lines;
    }
}
