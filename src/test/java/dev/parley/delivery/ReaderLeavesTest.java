package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.delivery.SubscribeRequest.StartPosition;
import dev.parley.log.ScriptedBroker;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A reader that is gone, or whose connection is defective, is removed; other readers go on. */
class ReaderLeavesTest {

    private final HubHarness harness = new HubHarness();
    private final ScriptedBroker broker = harness.broker;

    @Test
    void reader_thatLeft_receivesNothingMore_andIsCountedOnce() {
        TestReader reader = harness.connectAtTail();
        TestReader other = harness.connectAtTail();

        reader.disconnect();
        reader.disconnect();
        harness.publish(1);

        assertThat(reader.delivered()).isEmpty();
        assertThat(other.delivered()).hasSize(1);
        assertThat(harness.count("parley.disconnects", "reason", "client")).isOne();
        assertThat(harness.gauge("parley.connected.clients")).isOne();
    }

    @Test
    void readers_mayLeaveInAnyOrder() {
        List<TestReader> readers = Stream.generate(harness::connectAtTail).limit(4).toList();

        readers.get(0).disconnect();
        readers.get(3).disconnect();
        readers.get(1).disconnect();
        harness.publish(1);

        assertThat(readers.get(2).delivered()).hasSize(1);
        assertThat(harness.gauge("parley.connected.clients")).isOne();
    }

    @Test
    void reader_thatLeavesWhileItsPositionIsLookedUp_isRemoved() {
        broker.storeUndelivered(30);
        broker.holdAnswers();
        TestReader reader = harness.resume(broker.id(3));

        reader.disconnect();
        harness.releaseAnswers();
        harness.publish(1);

        assertThat(reader.lines()).isEmpty();
    }

    @Test
    void defectOfOneReader_endsThatReaderOnly() {
        TestReader before = harness.connectAtTail();
        TestReader broken = harness.connectAtTail();
        TestReader after = harness.connectAtTail();
        broken.connection().cut();

        harness.publish(2);

        assertThat(before.delivered()).isEqualTo(harness.messages(1, 2));
        assertThat(after.delivered()).isEqualTo(harness.messages(1, 2));
        assertThat(harness.count("parley.disconnects", "reason", "error")).isOne();
    }

    @Test
    void reader_whoseConnectionFailsWhenItOpens_isCut_andNotCounted() {
        var connection = new FailingConnection(Step.ON_DRAIN);

        subscribe(connection);

        assertThat(connection.aborted).isTrue();
        assertThat(harness.hub.streams()).isZero();
        assertThat(harness.count("parley.disconnects", "reason", "error")).isOne();
        assertThat(harness.connectAtTail().lines()).containsExactly("at epoch0-0");
    }

    /** Its cursor is in no group yet, and is not taken out of one. */
    @Test
    void reader_whoseConnectionFailsWhenItOpens_costsNoOtherReaderItsMessages() {
        List<TestReader> others = List.of(harness.connectAtTail(), harness.connectAtTail());

        subscribe(new FailingConnection(Step.ON_DRAIN));
        harness.publish(1);

        assertThat(others).allMatch(reader -> reader.delivered().equals(harness.messages(1, 1)));
    }

    @Test
    void reader_whoseConnectionFailsWhenItEnds_isCut() {
        var connection = new FailingConnection(Step.END);
        subscribe(connection);

        harness.hub.endStreams(1);
        harness.run();

        assertThat(connection.aborted).isTrue();
        assertThat(harness.hub.streams()).isZero();
    }

    /** Its cursor has moved past the message: the client has to come back for it. */
    @Test
    void reader_whoseMessageFindsNoMemory_isCut_andOthersAreNot() {
        TestReader other = harness.connectAtTail();
        var connection = new FailingConnection(Step.MESSAGE);
        subscribe(connection);

        harness.publish(1);

        assertThat(connection.aborted).isTrue();
        assertThat(harness.count("parley.disconnects", "reason", "error")).isOne();
        assertThat(other.delivered()).isEqualTo(harness.messages(1, 1));
    }

    private void subscribe(Connection connection) {
        harness.subscribe(
                connection, ScriptedBroker.ROOM, new StartPosition.Tail(), Heartbeat.DEFAULT);
        harness.run();
    }

    private enum Step {
        ON_DRAIN,
        MESSAGE,
        END
    }

    /** A connection that fails in one step. */
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
        public void write(SharedBuffer buffer) {
            if (failing == Step.MESSAGE) {
                throw new OutOfMemoryError("direct buffer");
            }
        }

        @Override
        public void end(byte[] last) {
            pass(Step.END);
        }

        @Override
        public void cut() {
            aborted = true;
        }

        @Override
        public void onDrain(Runnable handler) {
            pass(Step.ON_DRAIN);
        }
    }
}
