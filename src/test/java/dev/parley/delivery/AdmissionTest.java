package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.delivery.SubscribeRequest.StartPosition;
import dev.parley.message.EventId;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** Which clients get a stream, and what a client receives that gets none. */
class AdmissionTest {

    @Test
    void streams_areAdmittedUpToTheLimit_andAgainWhenOneHasLeft() {
        var admission = new Hub.Admission(new LimitSettings(2, 10, 100));

        assertThat(admission.enter("a", 1)).isEmpty();
        assertThat(admission.enter("b", 1)).isEmpty();
        assertThat(admission.enter("c", 1)).contains(DisconnectReason.LIMIT);
        assertThat(admission.streams()).isEqualTo(2);

        admission.leave("a", 1);
        assertThat(admission.enter("c", 1)).isEmpty();
    }

    @Test
    void streamsOfOneAddress_areAdmittedUpToItsLimit_andLeaveRoomForOthers() {
        var admission = new Hub.Admission(new LimitSettings(3, 2, 100));

        assertThat(admission.enter("a", 1)).isEmpty();
        assertThat(admission.enter("a", 1)).isEmpty();
        assertThat(admission.enter("a", 1)).contains(DisconnectReason.LIMIT);
        assertThat(admission.streams()).as("streams, without the refused one").isEqualTo(2);

        assertThat(admission.enter("b", 1)).isEmpty();
    }

    @Test
    void address_whoseStreamsLeft_isAdmittedAsOftenAsBefore() {
        var admission = new Hub.Admission(new LimitSettings(10, 2, 100));
        admission.enter("a", 1);
        admission.enter("a", 1);

        admission.leave("a", 1);
        assertThat(admission.enter("a", 1)).isEmpty();
        assertThat(admission.enter("a", 1)).contains(DisconnectReason.LIMIT);

        admission.leave("a", 1);
        admission.leave("a", 1);
        assertThat(admission.enter("a", 1)).isEmpty();
        assertThat(admission.enter("a", 1)).isEmpty();
    }

    @Test
    void streamsOfOneAddress_readTogetherNoMoreRoomsThanItsLimit() {
        var admission = new Hub.Admission(new LimitSettings(10, 10, 7));

        assertThat(admission.enter("a", 5)).isEmpty();
        assertThat(admission.fullLimit("a", 2)).isEmpty();
        assertThat(admission.fullLimit("a", 3)).contains("parley.limits.rooms-per-address");
        assertThat(admission.enter("a", 3)).contains(DisconnectReason.LIMIT);
        assertThat(admission.enter("a", 2)).isEmpty();
        assertThat(admission.enter("b", 7)).isEmpty();
        assertThat(admission.streams()).isEqualTo(3);

        admission.leave("a", 5);
        assertThat(admission.enter("a", 5)).isEmpty();
        assertThat(admission.enter("a", 1)).contains(DisconnectReason.LIMIT);
    }

    /** Each stream reads one room at least. */
    @Test
    void streamsOfOneRoom_areNotRefusedForTheirRooms_ifThatLimitIsNotSet() {
        var admission = new Hub.Admission(new LimitSettings(50_000, 20_000, OptionalInt.empty()));

        for (int i = 0; i < 20_000; i++) {
            assertThat(admission.enter("a", 1)).isEmpty();
        }

        assertThat(admission.fullLimit("a", 1)).contains("parley.limits.connections-per-address");
        assertThat(admission.enter("b", 20_000)).isEmpty();
        assertThat(admission.fullLimit("b", 1)).contains("parley.limits.rooms-per-address");
    }

    @Test
    void addressThatMayHaveFewStreams_readsTenThousandRooms_ifThatLimitIsNotSet() {
        var admission = new Hub.Admission(new LimitSettings(100, 50, OptionalInt.empty()));

        assertThat(admission.enter("a", 10_000)).isEmpty();
        assertThat(admission.enter("a", 1)).contains(DisconnectReason.LIMIT);
    }

    @Test
    void closedAdmission_refusesEveryStream() {
        var admission = new Hub.Admission(new LimitSettings(10, 10, 100));
        admission.enter("a", 1);

        admission.close();

        assertThat(admission.enter("a", 1)).contains(DisconnectReason.DRAIN);
        assertThat(admission.streams()).isOne();
    }

    @Test
    void streamAboveTheLimit_receivesGoodbye_andKeepsItsPosition() {
        HubHarness harness = HubHarness.with(new LimitSettings(1, 10, 100));
        harness.connectAtTail();

        TestReader refused =
                harness.connectWithoutRunning(new StartPosition.After(new EventId("e", 7)));

        assertThat(refused.lines()).containsExactly("at e-7", "goodbye limit");
        assertThat(refused.connection().isEnded()).as("at once").isFalse();
        harness.run();
        assertThat(refused.connection().isEnded()).isTrue();
        assertThat(harness.count("parley.disconnects", "reason", "limit")).isOne();
        assertThat(harness.gauge("parley.connected.clients")).isOne();
    }

    @Test
    void refusedStream_freesNoPlaceWhenItIsGone_butAdmittedStreamDoes() {
        HubHarness harness = HubHarness.with(new LimitSettings(1, 10, 100));
        TestReader admitted = harness.connectAtTail();
        TestReader refused = harness.connectAtTail();

        refused.disconnect();
        assertThat(harness.hub.streams()).isOne();

        admitted.disconnect();

        assertThat(harness.hub.streams()).isZero();
        assertThat(harness.connectAtTail().lines()).containsExactly("at epoch0-0");
    }

    @Test
    void streamThatReadsNoRoom_countsWithinTheLimits_butIsNoStreamOfARoom() {
        HubHarness harness = HubHarness.with(new LimitSettings(10, 1, 10));
        Hub hub = harness.hub;
        assertThat(hub.fullLimit("a", 0)).isEmpty();

        assertThat(hub.enter("a")).isEmpty();

        assertThat(harness.gauge("parley.connected.clients")).isOne();
        assertThat(harness.gauge("parley.cursors")).isZero();
        assertThat(hub.fullLimit("a", 0)).contains("parley.limits.connections-per-address");
        assertThat(hub.fullLimit("b", 0)).isEmpty();
        assertThat(hub.enter("a")).contains(DisconnectReason.LIMIT);
        assertThat(hub.streams()).isZero();

        hub.leave("a", DisconnectReason.DRAIN);
        assertThat(harness.gauge("parley.connected.clients")).isZero();
        assertThat(harness.count("parley.disconnects", "reason", "drain")).isOne();
        assertThat(hub.fullLimit("a", 0)).isEmpty();
        assertThat(hub.streams()).isZero();
    }

    @Test
    void refusedStreamThatReadsNoRoom_receivesGoodbye_isEndedLater_andIsCounted() {
        var harness = new HubHarness();
        var connection = new TestConnection();

        harness.hub.refuse(connection, harness.loop, DisconnectReason.LIMIT);

        assertThat(connection.lines()).containsExactly("connected", "goodbye limit");
        assertThat(connection.isEnded()).as("at once").isFalse();
        harness.run();
        assertThat(connection.isEnded()).isTrue();
        assertThat(harness.count("parley.disconnects", "reason", "limit")).isOne();
    }
}
