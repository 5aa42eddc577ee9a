package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

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
        Scene scene = Scene.with(LogSettings.DEFAULT.withLinger(Scene.AT_ONCE));
        TestReader reader = scene.connectAtTail();
        scene.say(3);

        scene.tick();
        assertThat(scene.gauge("parley.rooms")).isOne();
        reader.leave();
        scene.tick();

        assertThat(scene.gauge("parley.rooms")).isZero();
        TestReader next = scene.resume(scene.broker.id(1));
        assertThat(next.delivered()).isEqualTo(scene.lineThenMessages("resumed epoch0-1 2", 2, 3));
    }

    @Test
    void roomThatIsDropped_leavesItsMemoryToTheNext() {
        Scene scene = Scene.with(ONE_LOG.withLinger(Scene.AT_ONCE));
        TestReader reader = scene.connectAtTail();
        scene.say(LogSettings.RING);
        reader.leave();
        scene.tick();

        scene.connectAtTail();

        assertRingIsWhole(scene);
    }

    @Test
    void roomThatCouldNotBeOpened_givesItsMemoryBack() {
        Scene scene = Scene.with(ONE_LOG);
        failToOpenAfterAPage(scene);

        scene.connectAtTail();
        scene.say(LogSettings.RING);

        assertRingIsWhole(scene);
    }

    /** What was read of a room's log is in memory when the next read fails. */
    private static void failToOpenAfterAPage(Scene scene) {
        scene.broker.drop(LogSettings.RING);
        scene.broker.hold();
        TestReader reader = scene.connectAtTail();
        scene.broker.say(1);
        scene.broker.away();
        scene.release();
        assertThat(reader.lines()).containsExactly("goodbye unavailable");
        scene.broker.back();
    }

    /** The broker is not asked by a reader of the oldest message that a ring can have. */
    private static void assertRingIsWhole(Scene scene) {
        int reads = scene.broker.reads();

        scene.resume(scene.broker.id(scene.broker.newest() - LogSettings.RING));

        assertThat(scene.broker.reads()).isEqualTo(reads);
    }
}
