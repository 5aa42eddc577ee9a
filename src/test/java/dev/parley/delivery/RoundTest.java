package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.delivery.SubscribeRequest.StartPosition;
import dev.parley.log.ScriptedBroker;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A round of delivery ends, so that the event loop does its other work. */
class RoundTest {

    /** A round is longer than the longest pause, however fast the machine is. */
    private final HubHarness harness =
            HubHarness.with(StreamSettings.DEFAULT.withMaxPace(Duration.ZERO));

    @Test
    void messagesThatComeDuringALongRound_waitForTheNext() {
        var connection = new ConnectionDuringWhoseWritesMessagesCome(3);
        harness.subscribe(
                connection, ScriptedBroker.ROOM, new StartPosition.Tail(), Heartbeat.DEFAULT);
        harness.run();

        harness.broker.publish(1);
        while (connection.messages == 0) {
            harness.loop.runOne();
        }

        assertThat(connection.messages).isOne();
        harness.run();
        assertThat(connection.messages).isEqualTo(4);
    }

    /** Another event loop appends a message to the room's log while this one writes. */
    private final class ConnectionDuringWhoseWritesMessagesCome implements Connection {

        private int left;
        private int messages;

        ConnectionDuringWhoseWritesMessagesCome(int count) {
            left = count;
        }

        @Override
        public boolean isWritable() {
            return true;
        }

        @Override
        public void write(byte[] bytes) {}

        @Override
        public void write(SharedBuffer buffer) {
            messages++;
            if (left > 0) {
                left--;
                harness.broker.publish(1);
            }
        }

        @Override
        public void end(byte[] last) {}

        @Override
        public void cut() {}

        @Override
        public void onDrain(Runnable handler) {}
    }
}
