package dev.parley.log;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FrameTest {

    private final RoomLog.Frame frame = TestMessages.frame(1, "hi");

    @ParameterizedTest
    @EnumSource(Format.class)
    void message_isEncodedOnce(Format format) {
        assertThat(frame.bytes(format)).isSameAs(frame.bytes(format));
    }

    @Test
    void formats_areEncodedSeparately() {
        assertThat(frame.bytes(Format.TEXT)).isNotSameAs(frame.bytes(Format.JSON));
    }
}
