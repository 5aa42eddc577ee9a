package dev.parley.delivery;

import static dev.parley.delivery.TestMessages.message;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class EarlyMessagesTest {

    private final EarlyMessages early = new EarlyMessages();

    @Test
    void message_isTaken_onceItIsTheNext_andOnlyThen() {
        early.keep(message(5));

        assertThat(early.takeAfter(3)).isNull();
        assertThat(early.takeAfter(4)).isEqualTo(message(5));
        assertThat(early.takeAfter(4)).as("taken out").isNull();
    }

    @Test
    void messages_thatAreThereAlready_arePassedOver() {
        early.keep(message(7));
        early.keep(message(3));
        early.keep(message(5));

        assertThat(early.takeAfter(5)).isNull();
        assertThat(early.takeAfter(6)).isEqualTo(message(7));
    }

    @Test
    void onlySoMany_areKept() {
        for (int offset = 1; offset <= 513; offset++) {
            early.keep(message(offset));
        }

        assertThat(early.takeAfter(511)).isNotNull();
        assertThat(early.takeAfter(512)).isNull();
    }
}
