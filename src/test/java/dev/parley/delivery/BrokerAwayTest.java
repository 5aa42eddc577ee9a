package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.message.EventId;
import org.junit.jupiter.api.Test;

/** While the broker is away readers stay, and new ones are taken where their place is known. */
class BrokerAwayTest {

    private final Scene scene = new Scene();
    private final ScriptedBroker broker = scene.broker;

    @Test
    void newReader_whosePlaceIsKnown_isTaken() {
        scene.connectAtTail();
        scene.say(20);
        broker.away();

        TestReader tail = scene.connectAtTail();
        TestReader inLog = scene.resume(broker.id(15));
        TestReader newest = scene.connect(new Start.Newest(4));

        assertThat(tail.lines()).containsExactly("at epoch0-20");
        assertThat(inLog.delivered())
                .isEqualTo(scene.lineThenMessages("resumed epoch0-15 5", 16, 20));
        assertThat(newest.lines()).isEqualTo(scene.lineThenMessages("at epoch0-16", 17, 20));
    }

    @Test
    void newReader_whosePlaceOnlyTheBrokerKnows_isLetGo() {
        scene.connectAtTail();
        scene.say(20);
        broker.away();

        TestReader older = scene.resume(broker.id(3));

        assertThat(older.lines()).containsExactly("at epoch0-3", "goodbye unavailable");
        assertThat(older.connection().isEnded()).isTrue();
    }

    @Test
    void newReader_ofARoomThatCannotBeOpened_keepsThePositionThatItHad() {
        broker.away();

        assertThat(scene.connectAtTail().lines()).containsExactly("goodbye unavailable");
        assertThat(scene.resume(new EventId("e", 7)).lines())
                .containsExactly("at e-7", "goodbye unavailable");
        assertThat(scene.connect(new Start.Unknown("x")).lines())
                .containsExactly("at x", "goodbye unavailable");
        assertThat(scene.count("parley.disconnects", "reason", "unavailable")).isEqualTo(3);
    }

    @Test
    void roomThatCouldNotBeOpened_isOpenedForTheNextReader() {
        broker.away();
        scene.connectAtTail();

        broker.back();
        TestReader next = scene.connectAtTail();
        scene.say(1);

        assertThat(next.lines()).containsExactly("at epoch0-0", scene.message(1));
    }

    @Test
    void readerBehindTheLog_stays_andIsCaughtUpLater() {
        TestReader reader = scene.connectAtTail();
        scene.stall(reader);
        scene.say(100);

        broker.away();
        scene.drain(reader);
        scene.say(1);
        assertThat(reader.connection().isClosed()).isFalse();
        broker.back();
        scene.tick();

        assertThat(reader.delivered()).isEqualTo(scene.messages(1, 102));
    }

    @Test
    void failedRead_isTriedAgain_onceForAllThatAskedForIt() {
        TestReader reader = scene.connectAtTail();
        scene.say(2);
        broker.away();
        broker.drop(1);
        scene.say(200);
        int readsWhileAway = broker.reads();

        broker.back();
        scene.await(reader, scene.message(203));

        assertThat(reader.delivered()).isEqualTo(scene.messages(1, 203));
        assertThat(broker.reads() - readsWhileAway).isLessThan(10);
    }
}
