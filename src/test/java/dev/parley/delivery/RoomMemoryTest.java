package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.log.LogSettings;
import org.junit.jupiter.api.Test;

/** A room that nobody reads is dropped, and the memory of its log is there for others. */
class RoomMemoryTest {

    /** Enough for a frame with a short text. */
    private static final long FRAME_BYTES = 300;

    /** Room for one log, and not for two. */
    private static final LogSettings ONE_LOG =
            LogSettings.DEFAULT.withTotalBytes(FRAME_BYTES * (LogSettings.RING + 1));

    @Test
    void roomWithoutReaders_isDropped_andOpenedAgainForTheNext() {
        HubHarness harness = HubHarness.with(LogSettings.DEFAULT.withLinger(HubHarness.AT_ONCE));
        TestReader reader = harness.connectAtTail();
        harness.say(3);

        harness.tick();
        assertThat(harness.gauge("parley.rooms")).isOne();
        reader.leave();
        harness.tick();

        assertThat(harness.gauge("parley.rooms")).isZero();
        TestReader next = harness.resume(harness.broker.id(1));
        assertThat(next.delivered())
                .isEqualTo(harness.lineThenMessages("resumed epoch0-1 2", 2, 3));
    }

    @Test
    void roomThatIsDropped_leavesItsMemoryToTheNext() {
        HubHarness harness = HubHarness.with(ONE_LOG.withLinger(HubHarness.AT_ONCE));
        TestReader reader = harness.connectAtTail();
        harness.say(LogSettings.RING);
        reader.leave();
        harness.tick();

        harness.connectAtTail();

        assertRingIsWhole(harness);
    }

    @Test
    void roomThatCouldNotBeOpened_givesItsMemoryBack() {
        HubHarness harness = HubHarness.with(ONE_LOG);
        failToOpenAfterAPage(harness);

        harness.connectAtTail();
        harness.say(LogSettings.RING);

        assertRingIsWhole(harness);
    }

    /** What was read of a room's log is in memory when the next read fails. */
    private static void failToOpenAfterAPage(HubHarness harness) {
        harness.broker.drop(LogSettings.RING);
        harness.broker.hold();
        TestReader reader = harness.connectAtTail();
        harness.broker.say(1);
        harness.broker.away();
        harness.release();
        assertThat(reader.lines()).containsExactly("goodbye unavailable");
        harness.broker.back();
    }

    /** The broker is not asked by a reader of the oldest message that a ring can have. */
    private static void assertRingIsWhole(HubHarness harness) {
        int reads = harness.broker.reads();

        harness.resume(harness.broker.id(harness.broker.newest() - LogSettings.RING));

        assertThat(harness.broker.reads()).isEqualTo(reads);
    }
}
