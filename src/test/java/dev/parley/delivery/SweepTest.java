package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.delivery.SubscribeRequest.RoomStart;
import dev.parley.delivery.SubscribeRequest.StartPosition;
import dev.parley.log.ScriptedBroker;
import dev.parley.message.EventId;
import dev.parley.testsupport.SettableClock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the periodic sweep does for streams that are slow, silent or old. */
class SweepTest {

    private static final Heartbeat AS_EVENT = new Heartbeat(Optional.empty(), true);

    private final HubHarness harness = new HubHarness();

    @Test
    void stalledReader_isCut_afterTheSlowTimeout_andNotBefore() {
        HubHarness hub =
                HubHarness.with(StreamSettings.DEFAULT.withSlowTimeout(Duration.ofSeconds(10)));
        TestReader stalled = hub.connectAtTail();
        hub.stall(stalled);

        long found = System.nanoTime() + Duration.ofSeconds(100).toNanos();
        hub.tickAt(found);
        assertThat(hub.gauge("parley.slow.readers")).as("found, and waited for").isOne();
        hub.tickAt(found + Duration.ofSeconds(10).toNanos() - 1);
        assertThat(stalled.connection().isClosed()).isFalse();

        hub.tickAt(found + Duration.ofSeconds(10).toNanos());

        assertThat(stalled.connection().isAborted()).isTrue();
        assertThat(hub.count("parley.disconnects", "reason", "slow-consumer")).isOne();
        assertThat(hub.gauge("parley.slow.readers")).isZero();
        assertThat(hub.gauge("parley.connected.clients")).isZero();
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
        HubHarness eager = withHeartbeatAtEachTick();
        TestReader reader = eager.connectAtTail();

        eager.tick();

        assertThat(reader.lines()).containsExactly("at epoch0-0", "heartbeat");
    }

    /** The next tick would be a second later, or more if the pod is busy. */
    @ParameterizedTest
    @ValueSource(ints = {2, 8, 60})
    void heartbeat_comesBeforeItsPauseIsOver(int seconds) {
        var hub = HubHarness.with(StreamSettings.DEFAULT.withHeartbeat(Duration.ofSeconds(8)));
        Duration pause = Duration.ofSeconds(seconds);
        TestReader reader =
                hub.connect(new StartPosition.Tail(), new Heartbeat(Optional.of(pause), false));

        hub.tickAfter(pause.minusMillis(1_200));

        assertThat(reader.lines()).containsExactly("at epoch0-0", "heartbeat");
    }

    /** An eighth of the pause is left for a sweep that is late. */
    @Test
    void heartbeat_doesNotComeLongBeforeItsPauseIsOver() {
        long connected = System.nanoTime();
        var hub = HubHarness.with(StreamSettings.DEFAULT.withHeartbeat(Duration.ofSeconds(80)));
        TestReader reader = hub.connectAtTail();

        hub.tickAt(connected + Duration.ofMillis(69_999).toNanos());

        assertThat(reader.lines()).containsExactly("at epoch0-0");
    }

    @Test
    void streamThatAskedForEvents_getsThem_alsoWhenItIsNotSilent() {
        HubHarness eager = withHeartbeatAtEachTick();
        TestReader reader = eager.connect(new StartPosition.Tail(), AS_EVENT);

        eager.tick();
        eager.publish(1);
        eager.tick();

        assertThat(reader.lines())
                .containsExactly(
                        "at epoch0-0", "heartbeat event 0", eager.message(1), "heartbeat event 0");
    }

    @Test
    void streamWithoutAPositionYet_getsNoHeartbeatEvent_whichWouldResetItsId() {
        HubHarness eager = withHeartbeatAtEachTick();
        eager.broker.holdAnswers();
        TestReader reader = eager.connect(new StartPosition.After(new EventId("e", 7)), AS_EVENT);

        eager.tick();

        assertThat(reader.lines()).containsExactly("heartbeat");
    }

    @Test
    void streamThatAskedForALongerPause_isNotSentAHeartbeatBefore() {
        HubHarness eager = withHeartbeatAtEachTick();
        TestReader reader =
                eager.connect(
                        new StartPosition.Tail(),
                        new Heartbeat(Optional.of(HubHarness.NEVER), false));

        eager.tick();

        assertThat(reader.lines()).containsExactly("at epoch0-0");
    }

    @Test
    void stream_isEndedAsRotation_betweenHalfOfTheGreatestAgeAndAllOfIt() {
        long connected = System.nanoTime();
        HubHarness rotating =
                HubHarness.with(
                        StreamSettings.DEFAULT.withMaxConnectionAge(Duration.ofSeconds(10)));
        TestReader reader = rotating.connectAtTail();

        rotating.tickAt(connected + Duration.ofMillis(4_999).toNanos());
        assertThat(reader.lines()).containsExactly("at epoch0-0");
        assertThat(reader.connection().isClosed()).isFalse();

        rotating.tickAfter(Duration.ofSeconds(10));

        assertThat(reader.lines()).containsExactly("at epoch0-0", "goodbye rotation");
        assertThat(reader.connection().isEnded()).isTrue();
    }

    @Test
    void streamThatIsOpenedWhileTheClockIsBehind_endsWithItsHoldersRight_whenTheClockIsRight() {
        SettableClock clock = SettableClock.stoppedNow();
        HubHarness hub = HubHarness.with(clock);
        Instant end = clock.instant().plus(Duration.ofMinutes(10));
        clock.setBack(Duration.ofHours(1));
        TestReader reader =
                hub.connect(
                        List.of(new RoomStart(ScriptedBroker.ROOM, new StartPosition.Tail())),
                        List.of(),
                        () -> Optional.of(end));
        clock.setAhead(Duration.ofHours(1));
        hub.tick();
        assertThat(reader.connection().isClosed()).isFalse();

        // The next sweep would be after the end.
        clock.advance(Duration.ofMinutes(10).minusMillis(500));
        hub.tick();

        assertThat(reader.lines()).containsExactly("at epoch0-0", "goodbye expired");
        assertThat(reader.connection().isEnded()).isTrue();
    }

    private static HubHarness withHeartbeatAtEachTick() {
        return HubHarness.with(StreamSettings.DEFAULT.withHeartbeat(HubHarness.IMMEDIATELY));
    }
}
