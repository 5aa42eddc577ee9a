package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What is done now and then for streams that are stuck, silent or old. */
class SweepTest {

    private final HubHarness harness = new HubHarness();

    @Test
    void stalledReader_isCut_whenItsTimeIsOver() {
        HubHarness impatient =
                HubHarness.with(StreamSettings.DEFAULT.withSlowTimeout(HubHarness.AT_ONCE));
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
        TestReader reader = harness.connectAtTail();
        harness.stall(reader);

        harness.tick();
        harness.tick();

        assertThat(reader.connection().isClosed()).isFalse();
    }

    @Test
    void stalledReader_thatTakesBytesAgain_isNoLongerSlow_atOnce() {
        TestReader reader = harness.connectAtTail();
        harness.stall(reader);
        harness.tick();
        assertThat(harness.gauge("parley.slow.readers")).isOne();

        harness.drain(reader);

        assertThat(harness.gauge("parley.slow.readers")).isZero();
        harness.tick();
        assertThat(reader.connection().isClosed()).isFalse();
    }

    @Test
    void silentStream_getsAHeartbeat() {
        HubHarness talkative =
                HubHarness.with(StreamSettings.DEFAULT.withHeartbeat(HubHarness.AT_ONCE));
        TestReader reader = talkative.connectAtTail();

        talkative.tick();

        assertThat(reader.lines()).containsExactly("at epoch0-0", "heartbeat");
    }

    @Test
    void oldStream_isEnded_toComeBackElsewhere() {
        HubHarness rotating =
                HubHarness.with(StreamSettings.DEFAULT.withMaxConnectionAge(HubHarness.AT_ONCE));
        TestReader reader = rotating.connectAtTail();

        rotating.tick();

        assertThat(reader.lines()).containsExactly("at epoch0-0", "goodbye rotation");
        assertThat(reader.connection().isEnded()).isTrue();
    }

    @Test
    void youngStream_isNeitherEnded_norSentAHeartbeat() {
        HubHarness rotating =
                HubHarness.with(StreamSettings.DEFAULT.withMaxConnectionAge(HubHarness.NEVER));
        TestReader reader = rotating.connectAtTail();

        rotating.tick();

        assertThat(reader.lines()).containsExactly("at epoch0-0");
        assertThat(reader.connection().isClosed()).isFalse();
    }
}
