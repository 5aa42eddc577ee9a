package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.delivery.SubscribeRequest.StartPosition;
import dev.parley.log.ScriptedBroker;
import dev.parley.message.EventId;
import org.junit.jupiter.api.Test;

/** While the broker is away, readers stay, and a new one is served if the pod has its position. */
class BrokerAwayTest {

    private final HubHarness harness = new HubHarness();
    private final ScriptedBroker broker = harness.broker;

    @Test
    void newReader_whosePositionThePodHas_isServed() {
        harness.connectAndPublish(20);
        broker.goDown();

        TestReader tail = harness.connectAtTail();
        TestReader inLog = harness.resume(broker.id(15));
        TestReader newest = harness.connect(new StartPosition.Newest(4));

        assertThat(tail.lines()).containsExactly("at epoch0-20");
        assertThat(inLog.delivered())
                .isEqualTo(harness.lineThenMessages("resumed epoch0-15 5", 16, 20));
        assertThat(newest.lines()).isEqualTo(harness.lineThenMessages("at epoch0-16", 17, 20));
    }

    @Test
    void newReader_whosePositionOnlyTheBrokerHas_isSentAway() {
        harness.connectAndPublish(20);
        broker.goDown();

        TestReader older = harness.resume(broker.id(3));

        assertThat(older.lines()).containsExactly("at epoch0-3", "goodbye unavailable");
        assertThat(older.connection().isEnded()).isTrue();
    }

    @Test
    void newReader_ofARoomThatCannotBeOpened_keepsItsPosition() {
        broker.goDown();

        assertThat(harness.connectAtTail().lines()).containsExactly("goodbye unavailable");
        assertThat(harness.resume(new EventId("e", 7)).lines())
                .containsExactly("at e-7", "goodbye unavailable");
        assertThat(harness.connect(new StartPosition.Unknown("x")).lines())
                .containsExactly("at x", "goodbye unavailable");
        assertThat(harness.count("parley.disconnects", "reason", "unavailable")).isEqualTo(3);
    }

    @Test
    void roomThatCouldNotBeOpened_isOpenedForTheNextReader() {
        broker.goDown();
        harness.connectAtTail();

        broker.comeUp();
        TestReader next = harness.connectAndPublish(1);

        assertThat(next.lines()).containsExactly("at epoch0-0", harness.message(1));
    }

    /**
     * The first answer was there, and another comparison under way. A reader that came meanwhile
     * must not stay with a copy of the room that is given up.
     */
    @Test
    void roomWhoseOpeningFailsAfterItsFirstAnswer_leavesNoReaderBehind() {
        broker.holdAnswers();
        TestReader first = harness.connectAtTail();
        harness.interrupt();
        harness.releaseOneAnswer();
        TestReader second = harness.connectAtTail();

        broker.failOneAnswer();
        harness.run();
        harness.releaseAnswers();
        TestReader next = harness.connectAndPublish(1);

        assertThat(first.lines()).containsExactly("goodbye unavailable");
        assertThat(second.lines()).containsExactly("goodbye unavailable");
        assertThat(next.lines()).containsExactly("at epoch0-0", harness.message(1));
    }

    @Test
    void readerBehindTheLog_stays_andCatchesUpLater() {
        TestReader reader = harness.connectAndStall(100);

        broker.goDown();
        harness.drain(reader);
        harness.publish(1);
        assertThat(reader.connection().isClosed()).isFalse();

        broker.comeUp();
        harness.tick();

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 102));
    }

    @Test
    void failedRead_isTriedAgain_onceForAllMessagesThatNeedIt() {
        TestReader reader = harness.connectAndPublish(2);
        broker.goDown();
        broker.storeUndelivered(1);
        harness.publish(200);
        int readsWhileAway = broker.reads();

        broker.comeUp();
        harness.await(reader, harness.message(203));

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 203));
        assertThat(broker.reads() - readsWhileAway).isLessThan(10);
    }
}
