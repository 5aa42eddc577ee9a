package dev.parley.hub;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.StoredMessage;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FrameTest {

    private final Frame frame =
            new Frame(
                    new StoredMessage(
                            new EventId("e", 1),
                            Message.of(ScriptedBroker.ROOM, "hi", Instant.EPOCH)),
                    new LineEncoder());

    @ParameterizedTest
    @EnumSource(Format.class)
    void message_isEncodedOnce_howeverOftenItIsAskedFor(Format format) {
        assertThat(frame.bytes(format)).isSameAs(frame.bytes(format));
    }

    @Test
    void formats_areEncodedApart() {
        assertThat(frame.bytes(Format.TEXT)).isNotSameAs(frame.bytes(Format.JSON));
    }
}
