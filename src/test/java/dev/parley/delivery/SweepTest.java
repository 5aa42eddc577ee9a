package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.message.EventId;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What the periodic sweep does for streams that are stuck, silent or old. */
class SweepTest {

    private static final Heartbeat AS_EVENT = new Heartbeat(Optional.empty(), true);

    private final HubHarness harness = new HubHarness();

    @Test
    void stalledReader_isCut_afterTheSlowTimeout() {
        HubHarness shortTimeout =
                HubHarness.with(StreamSettings.DEFAULT.withSlowTimeout(HubHarness.IMMEDIATELY));
        TestReader stalled = shortTimeout.connectAtTail();
        shortTimeout.stall(stalled);

        shortTimeout.tick();
        assertThat(shortTimeout.gauge("parley.slow.readers")).isOne();

        shortTimeout.tick();

        assertThat(stalled.connection().isAborted()).isTrue();
        assertThat(shortTimeout.count("parley.disconnects", "reason", "slow-consumer")).isOne();
        assertThat(shortTimeout.gauge("parley.slow.readers")).isZero();
        assertThat(shortTimeout.gauge("parley.connected.clients")).isZero();
    }

    @Test
    void stalledReader_isNotCut_beforeTheSlowTimeout() {
        TestReader reader = harness.connectAtTail();
        harness.stall(reader);

        harness.tick();
        harness.tick();

        assertThat(reader.connection().isClosed()).isFalse();
    }

    @Test
    void stalledReader_thatTakesBytesAgain_isNoLongerCountedAsSlow() {
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
    void silentStream_receivesAHeartbeat() {
        HubHarness shortHeartbeat =
                HubHarness.with(StreamSettings.DEFAULT.withHeartbeat(HubHarness.IMMEDIATELY));
        TestReader reader = shortHeartbeat.connectAtTail();

        shortHeartbeat.tick();

        assertThat(reader.lines()).containsExactly("at epoch0-0", "heartbeat");
    }

    @Test
    void streamThatAskedForEvents_getsThem_alsoWhenItIsNotSilent() {
        HubHarness talkative =
                HubHarness.with(StreamSettings.DEFAULT.withHeartbeat(HubHarness.IMMEDIATELY));
        TestReader reader = talkative.connect(new StartPosition.Tail(), AS_EVENT);

        talkative.tick();
        talkative.publish(1);
        talkative.tick();

        assertThat(reader.lines())
                .containsExactly(
                        "at epoch0-0",
                        "heartbeat event 0",
                        talkative.message(1),
                        "heartbeat event 0");
    }

    @Test
    void streamThatWasNotToldItsPosition_getsNoEvent_whichWouldResetIt() {
        HubHarness talkative =
                HubHarness.with(StreamSettings.DEFAULT.withHeartbeat(HubHarness.IMMEDIATELY));
        talkative.broker.holdAnswers();
        TestReader reader =
                talkative.connect(new StartPosition.After(new EventId("e", 7)), AS_EVENT);

        talkative.tick();

        assertThat(reader.lines()).containsExactly("heartbeat");
    }

    @Test
    void streamThatAskedForALongerPause_isNotSentAHeartbeatBefore() {
        HubHarness talkative =
                HubHarness.with(StreamSettings.DEFAULT.withHeartbeat(HubHarness.IMMEDIATELY));
        TestReader reader =
                talkative.connect(
                        new StartPosition.Tail(),
                        new Heartbeat(Optional.of(HubHarness.NEVER), false));

        talkative.tick();

        assertThat(reader.lines()).containsExactly("at epoch0-0");
    }

    @Test
    void oldStream_isEndedAsRotation() {
        HubHarness rotating =
                HubHarness.with(
                        StreamSettings.DEFAULT.withMaxConnectionAge(HubHarness.IMMEDIATELY));
        TestReader reader = rotating.connectAtTail();

        rotating.tick();

        assertThat(reader.lines()).containsExactly("at epoch0-0", "goodbye rotation");
        assertThat(reader.connection().isEnded()).isTrue();
    }

    @Test
    void youngStream_isNotEnded_andReceivesNoHeartbeat() {
        HubHarness rotating =
                HubHarness.with(StreamSettings.DEFAULT.withMaxConnectionAge(HubHarness.NEVER));
        TestReader reader = rotating.connectAtTail();

        rotating.tick();

        assertThat(reader.lines()).containsExactly("at epoch0-0");
        assertThat(reader.connection().isClosed()).isFalse();
    }
}
