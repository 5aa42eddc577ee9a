package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A round of delivery ends, so that the event loop does its other work. */
class RoundTest {

    /** A round is longer than the longest pause, however fast the machine is. */
    private final HubHarness harness =
            HubHarness.with(StreamSettings.DEFAULT.withMaxPace(Duration.ZERO));

    @Test
    void messagesThatComeDuringALongRound_waitForTheNext() {
        TestReader reader = harness.connectAtTail();
        var left = new AtomicInteger(3);
        // Another event loop appends a message to the room's log while this one writes.
        reader.connection()
                .onWrite(
                        () -> {
                            if (left.getAndDecrement() > 0) {
                                harness.broker.publish(1);
                            }
                        });

        harness.broker.publish(1);
        while (reader.delivered().isEmpty()) {
            harness.loop.runOne();
        }

        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 1));
        harness.run();
        assertThat(reader.delivered()).isEqualTo(harness.messages(1, 4));
    }
}
