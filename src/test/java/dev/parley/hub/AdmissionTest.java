package dev.parley.hub;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class AdmissionTest {

    @Test
    void streams_enterUpToTheLimit_andAgainWhenOneHasLeft() {
        var admission = new Admission(new Scene.Limits(2, 10));

        assertThat(admission.enter("a")).isEmpty();
        assertThat(admission.enter("b")).isEmpty();
        assertThat(admission.enter("c")).contains(DisconnectReason.LIMIT);
        assertThat(admission.streams()).isEqualTo(2);

        admission.leave("a");
        assertThat(admission.enter("c")).isEmpty();
    }

    @Test
    void streamsOfOneAddress_enterUpToItsLimit_andLeaveRoomForOthers() {
        var admission = new Admission(new Scene.Limits(3, 2));

        assertThat(admission.enter("a")).isEmpty();
        assertThat(admission.enter("a")).isEmpty();
        assertThat(admission.enter("a")).contains(DisconnectReason.LIMIT);
        assertThat(admission.streams()).as("the one refused does not count").isEqualTo(2);

        assertThat(admission.enter("b")).isEmpty();
    }

    @Test
    void address_thatLeft_mayEnterAsOftenAsBefore() {
        var admission = new Admission(new Scene.Limits(10, 2));
        admission.enter("a");
        admission.enter("a");

        admission.leave("a");
        assertThat(admission.enter("a")).isEmpty();
        assertThat(admission.enter("a")).contains(DisconnectReason.LIMIT);

        admission.leave("a");
        admission.leave("a");
        assertThat(admission.enter("a")).isEmpty();
        assertThat(admission.enter("a")).isEmpty();
    }

    @Test
    void nobodyEnters_onceItIsClosed() {
        var admission = new Admission(new Scene.Limits(10, 10));
        admission.enter("a");

        admission.close();

        assertThat(admission.enter("a")).contains(DisconnectReason.DRAIN);
        assertThat(admission.streams()).isOne();
    }
}
