package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.log.Format;
import dev.parley.log.ScriptedBroker;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A reader that is gone, or broken, is forgotten, and nobody else notices. */
class ReaderLeavesTest {

    private final HubHarness harness = new HubHarness();
    private final ScriptedBroker broker = harness.broker;

    @Test
    void reader_thatLeft_getsNothingMore_andIsCountedOnce() {
        TestReader reader = harness.connectAtTail();
        TestReader other = harness.connectAtTail();

        reader.leave();
        reader.leave();
        harness.say(1);

        assertThat(reader.delivered()).isEmpty();
        assertThat(other.delivered()).hasSize(1);
        assertThat(harness.count("parley.disconnects", "reason", "client")).isOne();
        assertThat(harness.gauge("parley.connected.clients")).isOne();
    }

    @Test
    void readers_mayLeaveInAnyOrder() {
        List<TestReader> readers = Stream.generate(harness::connectAtTail).limit(4).toList();

        readers.get(0).leave();
        readers.get(3).leave();
        readers.get(1).leave();
        harness.say(1);

        assertThat(readers.get(2).delivered()).hasSize(1);
        assertThat(harness.gauge("parley.connected.clients")).isOne();
    }

    @Test
    void reader_thatLeavesWhileItsPlaceIsLookedFor_isForgotten() {
        broker.drop(30);
        broker.hold();
        TestReader reader = harness.resume(broker.id(3));

        reader.leave();
        harness.release();
        harness.say(1);

        assertThat(reader.lines()).isEmpty();
    }

    @Test
    void defectWithOneReader_isThatReadersAlone() {
        TestReader before = harness.connectAtTail();
        TestReader broken = harness.connectAtTail();
        TestReader after = harness.connectAtTail();
        broken.connection().abort();

        harness.say(2);

        assertThat(before.delivered()).isEqualTo(harness.messages(1, 2));
        assertThat(after.delivered()).isEqualTo(harness.messages(1, 2));
        assertThat(harness.count("parley.disconnects", "reason", "error")).isOne();
    }

    @Test
    void readerWhoseConnectionFailsOnTheWayIn_isCut_andNotCounted() {
        var connection = new FailingConnection(Step.ON_DRAIN);

        subscribe(connection);

        assertThat(connection.aborted).isTrue();
        assertThat(harness.hub.streams()).isZero();
        assertThat(harness.count("parley.disconnects", "reason", "error")).isOne();
        assertThat(harness.connectAtTail().lines()).containsExactly("at epoch0-0");
    }

    @Test
    void readerWhoseConnectionFailsAtTheEnd_isCut() {
        var connection = new FailingConnection(Step.END);
        subscribe(connection);

        harness.hub.endStreams(1);
        harness.run();

        assertThat(connection.aborted).isTrue();
        assertThat(harness.hub.streams()).isZero();
    }

    private void subscribe(Connection connection) {
        var wish =
                new SubscribeRequest(
                        ScriptedBroker.ROOM, new StartPosition.Tail(), Format.TEXT, "203.0.113.1");
        harness.hub.subscribe(wish, connection, harness.loop);
        harness.run();
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
