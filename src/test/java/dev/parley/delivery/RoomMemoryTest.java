package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.delivery.SubscribeRequest.RoomStart;
import dev.parley.delivery.SubscribeRequest.StartPosition;
import dev.parley.log.LogSettings;
import dev.parley.message.Room;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which rooms hold messages in memory: one without readers is dropped, and others get a share. */
class RoomMemoryTest {

    /** Enough for a frame with a short text. */
    private static final long FRAME_BYTES = 540;

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

    /** The memory is enough for two logs, which two rooms with readers have filled. */
    @Test
    void roomThatIsOpenedWhileTheMemoryIsUsedUp_getsAShareOfIt() {
        HubHarness harness =
                HubHarness.with(
                        LogSettings.DEFAULT.withTotalBytes(2 * FRAME_BYTES * LogSettings.RING));
        for (String room : List.of("a", "b")) {
            connectTo(harness, room);
            harness.publish(room, LogSettings.RING);
        }
        harness.tick();
        TestReader reader = connectTo(harness, "c");
        int reads = harness.broker("c").reads();

        harness.broker("c").publish(2);
        harness.run();

        assertThat(reader.lines()).contains("c0-1 text1", "c0-2 text2");
        assertThat(harness.broker("c").reads()).isEqualTo(reads);
    }

    private static TestReader connectTo(HubHarness harness, String room) {
        harness.broker(room);
        return harness.connect(new RoomStart(new Room(room), new StartPosition.Tail()));
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
