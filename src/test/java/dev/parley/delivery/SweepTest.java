package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What is done now and then for streams that are stuck, silent or old. */
class SweepTest {

    private final Scene scene = new Scene();

    @Test
    void stalledReader_isCut_whenItsTimeIsOver() {
        Scene impatient = Scene.with(StreamSettings.DEFAULT.withSlowTimeout(Scene.AT_ONCE));
        TestReader stalled = impatient.connectAtTail();
        impatient.stall(stalled);

        impatient.tick();
        assertThat(impatient.gauge("parley.slow.readers")).isOne();
        impatient.tick();

        assertThat(stalled.connection().isAborted()).isTrue();
        assertThat(impatient.count("parley.disconnects", "reason", "slow-consumer")).isOne();
        assertThat(impatient.gauge("parley.slow.readers")).isZero();
        assertThat(impatient.gauge("parley.connected.clients")).isZero();
    }

    @Test
    void stalledReader_isNotCut_beforeItsTimeIsOver() {
        TestReader reader = scene.connectAtTail();
        scene.stall(reader);

        scene.tick();
        scene.tick();

        assertThat(reader.connection().isClosed()).isFalse();
    }

    @Test
    void stalledReader_thatTakesBytesAgain_isNoLongerSlow_atOnce() {
        TestReader reader = scene.connectAtTail();
        scene.stall(reader);
        scene.tick();
        assertThat(scene.gauge("parley.slow.readers")).isOne();

        scene.drain(reader);

        assertThat(scene.gauge("parley.slow.readers")).isZero();
        scene.tick();
        assertThat(reader.connection().isClosed()).isFalse();
    }

    @Test
    void silentStream_getsAHeartbeat() {
        Scene talkative = Scene.with(StreamSettings.DEFAULT.withHeartbeat(Scene.AT_ONCE));
        TestReader reader = talkative.connectAtTail();

        talkative.tick();

        assertThat(reader.lines()).containsExactly("at epoch0-0", "heartbeat");
    }

    @Test
    void oldStream_isEnded_toComeBackElsewhere() {
        Scene rotating = Scene.with(StreamSettings.DEFAULT.withMaxConnectionAge(Scene.AT_ONCE));
        TestReader reader = rotating.connectAtTail();

        rotating.tick();

        assertThat(reader.lines()).containsExactly("at epoch0-0", "goodbye rotation");
        assertThat(reader.connection().isEnded()).isTrue();
    }

    @Test
    void youngStream_isNeitherEnded_norSentAHeartbeat() {
        Scene rotating = Scene.with(StreamSettings.DEFAULT.withMaxConnectionAge(Scene.NEVER));
        TestReader reader = rotating.connectAtTail();

        rotating.tick();

        assertThat(reader.lines()).containsExactly("at epoch0-0");
        assertThat(reader.connection().isClosed()).isFalse();
    }
}
