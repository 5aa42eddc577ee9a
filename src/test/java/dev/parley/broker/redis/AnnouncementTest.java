package dev.parley.broker.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.parley.broker.redis.RedisBroker.Announcement;
import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import io.vertx.core.buffer.Buffer;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AnnouncementTest {

    private static final Room KITCHEN = new Room("kitchen");

    @Test
    void announcement_isReadInTwoSteps_roomThenMessage() {
        Buffer announcement = Buffer.buffer("kitchen k3f9-42 1000 {\"text\":\"h\u00e9 llo\"}");

        assertThat(Announcement.of(announcement).room()).isEqualTo(KITCHEN);
        assertThat(Announcement.of(announcement).message())
                .isEqualTo(
                        new StoredMessage(
                                new EventId("k3f9", 42),
                                Message.of(KITCHEN, "h\u00e9 llo", Instant.ofEpochSecond(1))));
    }

    @Test
    void room_isReadWithoutParsingTheBody() {
        Buffer announcement = Buffer.buffer("kitchen ").appendBytes(new byte[] {-1, -2, '{'});

        assertThat(Announcement.of(announcement).room()).isEqualTo(KITCHEN);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "{}", "-kitchen x"})
    void announcement_withoutARoom_isRefused(String text) {
        Buffer announcement = Buffer.buffer(text);

        assertThatIllegalArgumentException().isThrownBy(() -> Announcement.of(announcement));
    }

    @Test
    void announcement_whoseRoomDoesNotEnd_isRefused_withoutReadingAllOfIt() {
        Buffer announcement = Buffer.buffer("x".repeat(1 << 20));

        assertThatIllegalArgumentException()
                .isThrownBy(() -> Announcement.of(announcement))
                .withMessageNotContaining("x".repeat(100));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "kitchen",
                "kitchen ",
                "kitchen e-1",
                "kitchen e-1 x {}",
                "kitchen 0-1 1 {\"text\":\"a\"}"
            })
    void announcement_withoutAMessage_isRefused(String text) {
        Buffer announcement = Buffer.buffer(text);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> Announcement.of(announcement).message());
    }
}
