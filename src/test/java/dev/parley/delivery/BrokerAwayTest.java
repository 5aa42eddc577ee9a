package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.log.ScriptedBroker;
import dev.parley.message.EventId;
import org.junit.jupiter.api.Test;

/** While the broker is away readers stay, and new ones are taken where their place is known. */
class BrokerAwayTest {

    private final HubHarness harness = new HubHarness();
    private final ScriptedBroker broker = harness.broker;

    @Test
    void newReader_whosePlaceIsKnown_isTaken() {
        harness.connectAtTail();
        harness.say(20);
        broker.away();

        TestReader tail = harness.connectAtTail();
        TestReader inLog = harness.resume(broker.id(15));
        TestReader newest = harness.connect(new StartPosition.Newest(4));

        assertThat(tail.lines()).containsExactly("at epoch0-20");
        assertThat(inLog.delivered())
                .isEqualTo(harness.lineThenMessages("resumed epoch0-15 5", 16, 20));
        assertThat(newest.lines()).isEqualTo(harness.lineThenMessages("at epoch0-16", 17, 20));
    }

    @Test
    void newReader_whosePlaceOnlyTheBrokerKnows_isLetGo() {
        harness.connectAtTail();
        harness.say(20);
        broker.away();

        TestReader older = harness.resume(broker.id(3));

        assertThat(older.lines()).containsExactly("at epoch0-3", "goodbye unavailable");
        assertThat(older.connection().isEnded()).isTrue();
    }

    @Test
    void newReader_ofARoomThatCannotBeOpened_keepsThePositionThatItHad() {
        broker.away();

        assertThat(harness.connectAtTail().lines()).containsExactly("goodbye unavailable");
        assertThat(harness.resume(new EventId("e", 7)).lines())
                .containsExactly("at e-7", "goodbye unavailable");
        assertThat(harness.connect(new StartPosition.Unknown("x")).lines())
                .containsExactly("at x", "goodbye unavailable");
        assertThat(harness.count("parley.disconnects", "reason", "unavailable")).isEqualTo(3);
    }

    @Test
    void roomThatCouldNotBeOpened_isOpenedForTheNextReader() {
        broker.away();
        harness.connectAtTail();

        broker.back();
        TestReader next = harness.connectAtTail();
        harness.say(1);

        assertThat(next.lines()).containsExactly("at epoch0-0", harness.message(1));
    }

    @Test
    void readerBehindTheLog_stays_andIsCaughtUpLater() {
        TestReader reader = harness.connectAtTail();
        harness.stall(reader);
        harness.say(100);

        broker.away();
        harness.drain(reader);
        harness.say(1);
        assertThat(reader.connection().isClosed()).isFalse();
        broker.back();
        harness.tick();

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 102));
    }

    @Test
    void failedRead_isTriedAgain_onceForAllThatAskedForIt() {
        TestReader reader = harness.connectAtTail();
        harness.say(2);
        broker.away();
        broker.drop(1);
        harness.say(200);
        int readsWhileAway = broker.reads();

        broker.back();
        harness.await(reader, harness.message(203));

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 203));
        assertThat(broker.reads() - readsWhileAway).isLessThan(10);
    }
}
