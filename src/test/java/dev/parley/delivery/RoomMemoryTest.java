package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.log.LogSettings;
import org.junit.jupiter.api.Test;

/** A room without readers is dropped, and other rooms can use the memory of its log. */
class RoomMemoryTest {

    /** Enough for a frame with a short text. */
    private static final long FRAME_BYTES = 300;

    /** Memory for one log, not for two. */
    private static final LogSettings ONE_LOG =
            LogSettings.DEFAULT.withTotalBytes(FRAME_BYTES * (LogSettings.RING + 1));

    @Test
    void roomWithoutReaders_isDropped_andOpenedAgainForTheNext() {
        HubHarness harness =
                HubHarness.with(LogSettings.DEFAULT.withLinger(HubHarness.IMMEDIATELY));
        TestReader reader = harness.connectAndPublish(3);

        harness.tick();
        assertThat(harness.gauge("parley.rooms")).isOne();

        reader.disconnect();
        harness.tick();

        assertThat(harness.gauge("parley.rooms")).isZero();

        TestReader next = harness.resume(harness.broker.id(1));
        assertThat(next.delivered())
                .isEqualTo(harness.lineThenMessages("resumed epoch0-1 2", 2, 3));
    }

    @Test
    void roomThatIsDropped_freesItsMemory() {
        HubHarness harness = HubHarness.with(ONE_LOG.withLinger(HubHarness.IMMEDIATELY));
        TestReader reader = harness.connectAtTail();
        harness.publish(LogSettings.RING);
        reader.disconnect();
        harness.tick();

        harness.connectAtTail();

        assertRingIsFull(harness);
    }

    @Test
    void roomThatCouldNotBeOpened_freesItsMemory() {
        HubHarness harness = HubHarness.with(ONE_LOG);
        failToOpenAfterAPage(harness);

        harness.connectAtTail();
        harness.publish(LogSettings.RING);

        assertRingIsFull(harness);
    }

    /** Makes the opening of a room fail after its first page is in memory. */
    private static void failToOpenAfterAPage(HubHarness harness) {
        harness.broker.storeUndelivered(LogSettings.RING);
        harness.broker.holdAnswers();
        TestReader reader = harness.connectAtTail();
        harness.broker.publish(1);
        harness.broker.goDown();
        harness.releaseAnswers();
        assertThat(reader.lines()).containsExactly("goodbye unavailable");
        harness.broker.comeUp();
    }

    /** Asserts that the ring is full: it serves its oldest message without asking the broker. */
    private static void assertRingIsFull(HubHarness harness) {
        int reads = harness.broker.reads();

        harness.resume(harness.broker.id(harness.broker.newest() - LogSettings.RING));

        assertThat(harness.broker.reads()).isEqualTo(reads);
    }
}
