package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A reader that is gone, or broken, is forgotten, and nobody else notices. */
class ReaderLeavesTest {

    private final Scene scene = new Scene();
    private final ScriptedBroker broker = scene.broker;

    @Test
    void reader_thatLeft_getsNothingMore_andIsCountedOnce() {
        TestReader reader = scene.connectAtTail();
        TestReader other = scene.connectAtTail();

        reader.leave();
        reader.leave();
        scene.say(1);

        assertThat(reader.delivered()).isEmpty();
        assertThat(other.delivered()).hasSize(1);
        assertThat(scene.count("parley.disconnects", "reason", "client")).isOne();
        assertThat(scene.gauge("parley.connected.clients")).isOne();
    }

    @Test
    void readers_mayLeaveInAnyOrder() {
        List<TestReader> readers = Stream.generate(scene::connectAtTail).limit(4).toList();

        readers.get(0).leave();
        readers.get(3).leave();
        readers.get(1).leave();
        scene.say(1);

        assertThat(readers.get(2).delivered()).hasSize(1);
        assertThat(scene.gauge("parley.connected.clients")).isOne();
    }

    @Test
    void reader_thatLeavesWhileItsPlaceIsLookedFor_isForgotten() {
        broker.drop(30);
        broker.hold();
        TestReader reader = scene.resume(broker.id(3));

        reader.leave();
        scene.release();
        scene.say(1);

        assertThat(reader.lines()).isEmpty();
    }

    @Test
    void defectWithOneReader_isThatReadersAlone() {
        TestReader before = scene.connectAtTail();
        TestReader broken = scene.connectAtTail();
        TestReader after = scene.connectAtTail();
        broken.connection().abort();

        scene.say(2);

        assertThat(before.delivered()).isEqualTo(scene.messages(1, 2));
        assertThat(after.delivered()).isEqualTo(scene.messages(1, 2));
        assertThat(scene.count("parley.disconnects", "reason", "error")).isOne();
    }

    @Test
    void readerWhoseConnectionFailsOnTheWayIn_isCut_andNotCounted() {
        var connection = new FailingConnection(Step.ON_DRAIN);

        subscribe(connection);

        assertThat(connection.aborted).isTrue();
        assertThat(scene.hub.streams()).isZero();
        assertThat(scene.count("parley.disconnects", "reason", "error")).isOne();
        assertThat(scene.connectAtTail().lines()).containsExactly("at epoch0-0");
    }

    @Test
    void readerWhoseConnectionFailsAtTheEnd_isCut() {
        var connection = new FailingConnection(Step.END);
        subscribe(connection);

        scene.hub.endStreams(1);
        scene.run();

        assertThat(connection.aborted).isTrue();
        assertThat(scene.hub.streams()).isZero();
    }

    private void subscribe(Connection connection) {
        var wish = new Reader(ScriptedBroker.ROOM, new Start.Tail(), Format.TEXT, "203.0.113.1");
        scene.hub.subscribe(wish, connection, scene.loop);
        scene.run();
    }

    private enum Step {
        ON_DRAIN,
        END
    }

    /** A connection that has a defect. */
    private static final class FailingConnection implements Connection {

        private final Step failing;
        private boolean aborted;

        FailingConnection(Step failing) {
            this.failing = failing;
        }

        private void pass(Step step) {
            if (step == failing) {
                throw new IllegalStateException("a defect");
            }
        }

        @Override
        public boolean isWritable() {
            return true;
        }

        @Override
        public void write(byte[] bytes) {}

        @Override
        public void end(byte[] last) {
            pass(Step.END);
        }

        @Override
        public void abort() {
            aborted = true;
        }

        @Override
        public void onDrain(Runnable handler) {
            pass(Step.ON_DRAIN);
        }
    }
}
