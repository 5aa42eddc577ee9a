package dev.parley.hub;

import static dev.parley.hub.ScriptedBroker.ROOM;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.hub.Scene.Reader;
import dev.parley.message.EventId;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Who is let in, who is let go, and what is done now and then. */
class HubTest {

    private Scene scene = new Scene();

    @Test
    void streamAboveTheLimit_isToldGoodbye_andKeepsItsPosition() {
        scene = Scene.with(new Scene.Limits(1, 10));
        Reader first = scene.connectAtTail();

        Reader refused = scene.resume(new EventId("e", 7));

        assertThat(refused.lines()).containsExactly("at e-7", "goodbye limit");
        assertThat(refused.connection().isEnded()).isTrue();
        assertThat(scene.count("parley.disconnects", "reason", "limit")).isOne();
        assertThat(scene.gauge("parley.connected.clients")).isOne();
        refused.subscription().cancel();
        assertThat(scene.hub.streams()).isOne();
        first.subscription().cancel();
        assertThat(scene.hub.streams()).isZero();
        assertThat(scene.connectAtTail().lines()).containsExactly("at epoch0-0");
    }

    @Test
    void readerWhoseConnectionFailsOnTheWayIn_isCut_andNotCounted() {
        var failing = new FailingConnection();
        var wish = new dev.parley.hub.Reader(ROOM, new Start.Tail(), Format.TEXT, "203.0.113.1");

        scene.hub.subscribe(wish, failing, scene.loop);
        Reader next = scene.connectAtTail();

        assertThat(failing.aborted).isTrue();
        assertThat(scene.hub.streams()).isOne();
        assertThat(scene.count("parley.disconnects", "reason", "error")).isOne();
        assertThat(next.lines()).containsExactly("at epoch0-0");
    }

    @Test
    void streamsDuringADrain_areRefused_andThoseBeforeItGoOn() {
        Reader before = scene.connectAtTail();

        scene.hub.refuseStreams();
        Reader refused = scene.connectAtTail();
        scene.say(1);

        assertThat(refused.lines()).containsExactly("goodbye drain");
        assertThat(before.lines()).hasSize(2);
    }

    @Test
    void streams_areEndedInParts_roundedUp() {
        List<Reader> readers = connect(5);

        scene.hub.endStreams(2);
        scene.run();
        assertThat(ended(readers)).isEqualTo(3);
        scene.hub.endStreams(2);
        scene.run();
        assertThat(ended(readers)).isEqualTo(4);
        scene.hub.endStreams(1);
        scene.run();

        assertThat(readers)
                .allSatisfy(reader -> assertThat(reader.lines()).last().isEqualTo("goodbye drain"));
        assertThat(scene.hub.streams()).isZero();
    }

    @Test
    void partOfTheStreams_isOneOfThoseThatAreStillThere() {
        List<Reader> readers = connect(4);
        readers.subList(2, 4).forEach(reader -> reader.subscription().cancel());

        scene.hub.endStreams(2);
        scene.run();

        assertThat(ended(readers)).isOne();
    }

    @Test
    void stalledStream_isCut_whenStreamsAreEnded() {
        Reader stalled = scene.connectAtTail();
        stalled.connection().stall();
        scene.say(1);

        scene.hub.endStreams(1);
        scene.run();

        assertThat(stalled.connection().isAborted()).isTrue();
        assertThat(scene.count("parley.disconnects", "reason", "drain")).isOne();
    }

    @Test
    void readers_mayLeaveInAnyOrder() {
        List<Reader> readers = connect(4);

        readers.get(0).subscription().cancel();
        readers.get(3).subscription().cancel();
        readers.get(1).subscription().cancel();
        scene.say(1);

        assertThat(readers.get(2).lines()).hasSize(2);
        assertThat(scene.gauge("parley.connected.clients")).isOne();
    }

    @Test
    void plainText_reachesWhoeverIsInTheLobby() {
        Reader reader = scene.connectToLobby();

        scene.broker.sayPlain("hello");
        scene.broker.sayPlain("");
        scene.run();

        assertThat(reader.lines()).containsExactly("at epoch0-0", "plain hello");
        assertThat(scene.count("parley.deliveries")).isOne();
        assertThat(scene.count("parley.delivered.bytes")).isEqualTo("plain hello\n".length());
    }

    @Test
    void plainText_isNotKeptForAStalledReader() {
        Reader reader = scene.connectToLobby();
        reader.connection().stall();

        scene.broker.sayPlain("one");
        scene.broker.sayPlain("two");
        scene.run();
        reader.connection().drain();
        scene.run();

        assertThat(reader.lines()).containsExactly("at epoch0-0", "plain one");
    }

    @Test
    void plainText_isNotForReadersThatHaveNoPlaceYet() {
        scene.broker.hold();
        Reader reader = scene.connectToLobby();

        scene.broker.sayPlain("hello");
        scene.run();
        scene.broker.release();
        scene.run();

        assertThat(reader.lines()).containsExactly("at epoch0-0");
    }

    @Test
    void audit_findsWhatWasNeverHeard() {
        scene =
                Scene.with(
                        new Scene.Log(
                                Scene.RING,
                                Scene.bytes(1 << 20),
                                Scene.bytes(1 << 20),
                                Duration.ofHours(1),
                                Duration.ofNanos(1)));
        Reader reader = scene.connectAtTail();
        scene.broker.drop(2);

        scene.hub.tick();
        scene.run();

        assertThat(reader.lines().subList(1, 3)).isEqualTo(scene.messages(1, 2));
    }

    @Test
    void audit_thatIsNotDue_asksTheBrokerNothing() {
        scene.connectAtTail();
        int reads = scene.broker.reads();

        scene.hub.tick();
        scene.run();

        assertThat(scene.broker.reads()).isEqualTo(reads);
    }

    private List<Reader> connect(int count) {
        return Stream.generate(scene::connectAtTail).limit(count).toList();
    }

    private static long ended(List<Reader> readers) {
        return readers.stream().filter(reader -> reader.connection().isEnded()).count();
    }

    /** A connection that has a defect. */
    private static final class FailingConnection implements Connection {

        private boolean aborted;

        @Override
        public boolean isWritable() {
            return true;
        }

        @Override
        public void write(byte[] bytes) {}

        @Override
        public void end(byte[] last) {}

        @Override
        public void abort() {
            aborted = true;
        }

        @Override
        public void onDrain(Runnable handler) {
            throw new IllegalStateException("a defect");
        }
    }
}
