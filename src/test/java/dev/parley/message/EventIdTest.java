package dev.parley.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EventIdTest {

    @ParameterizedTest
    @CsvSource({
        "k3f9-42, k3f9, 42",
        "0-0, 0, 0",
        "0-9, 0, 9",
        "0-10, 0, 10",
        "a-999999999999999999, a, 999999999999999999"
    })
    void writtenId_isParsed_andWrittenTheSame(String written, String epoch, long offset) {
        EventId id = EventId.parse(written).orElseThrow();

        assertThat(id).isEqualTo(new EventId(epoch, offset)).hasToString(written);
        assertThat(id.length()).isEqualTo(written.length());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", "-", "42", "k3f9", "k3f9-", "-42",
                "k3f9--1", "k3f9-042", "k3f9-00", "k3f9-+1", "k3f9-1-2", "K3F9-1",
                "k3f9-1 ", " k3f9-1", "k3f9-1\n", "k3f9-٣", "é-1", "k3f9-1000000000000000000",
                "k3f9-99999999999999999999999999", "123456789012345678901234567890123-1"
            })
    void anyOtherText_isNotAnId(String written) {
        assertThat(EventId.parse(written)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "K", "a-b", "a\n", "123456789012345678901234567890123"})
    void badEpoch_isRefused(String epoch) {
        assertThatThrownBy(() -> new EventId(epoch, 1))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void negativeOffset_isRefused() {
        assertThatThrownBy(() -> new EventId("k3f9", -1))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void longestId_needsNoPreflight() {
        String longest = new EventId("z".repeat(32), 999_999_999_999_999_999L).toString();

        assertThat(longest).hasSizeLessThan(128).matches("[0-9a-z-]+");
    }
}
