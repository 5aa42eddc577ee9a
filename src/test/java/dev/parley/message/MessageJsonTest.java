package dev.parley.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.parley.message.Message.StoredMessage;
import java.io.IOException;
import java.io.StringWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MessageJsonTest {

    private static final Instant AT = Instant.parse("2026-01-02T03:04:05.678Z");
    private static final Room KITCHEN = new Room("kitchen");
    private static final Message FULL =
            new Message(
                    KITCHEN,
                    "a \"b\"\n\u2028",
                    Optional.of("Ada"),
                    Optional.of(new EventType("news")),
                    AT);
    private static final Message BARE = Message.of(KITCHEN, "a", AT);

    @Test
    void message_isWrittenWithoutId_andWithoutAbsentFields() {
        assertThat(MessageJson.write(FULL))
                .isEqualTo(
                        "{\"room\":\"kitchen\",\"from\":\"Ada\",\"text\":\"a \\\"b\\\"\\n\\u2028\","
                                + "\"event\":\"news\",\"at\":\"2026-01-02T03:04:05.678Z\"}");
        assertThat(MessageJson.write(BARE))
                .isEqualTo(
                        "{\"room\":\"kitchen\",\"text\":\"a\",\"at\":\"2026-01-02T03:04:05.678Z\"}");
    }

    /** Python's str.splitlines takes each of these for the end of a line. */
    @Test
    void message_isOneLineToProgramsThatKnowMoreLineEndsThanTheStream() {
        String text = "\n\u000B\f\r\u001C\u001D\u001E\u0085\u2028\u2029\\u2028.";

        String written = MessageJson.write(Message.of(KITCHEN, text, AT));

        assertThat(written).matches("\\A\\P{Cc}*\\z").doesNotContain("\u2028", "\u2029");
        assertThat(MessageJson.readBody(KITCHEN, AT, written).text())
                .isEqualTo(text.replace('\r', '\n'));
    }

    @Test
    void messageWithTtl_isWrittenWithItsEnd_andItsBodyWithTheSeconds() {
        Message brief = brief(AT);

        assertThat(MessageJson.write(brief))
                .isEqualTo(
                        "{\"room\":\"kitchen\",\"text\":\"a\",\"at\":\"2026-01-02T03:04:05.678Z\","
                                + "\"expires\":\"2026-01-02T03:05:35.678Z\"}");
        assertThat(MessageJson.writeBody(brief)).isEqualTo("{\"text\":\"a\",\"ttl\":90}");
        assertThat(MessageJson.readBody(KITCHEN, AT, "{\"text\":\"a\",\"ttl\":90}"))
                .isEqualTo(brief);
        assertThat(MessageJson.readBody(KITCHEN, AT, "{\"text\":\"a\",\"ttl\":\"x\"}"))
                .isEqualTo(BARE);
    }

    @Test
    void ttl_isReadUpToTheLongestAge_andALongerOneIsNoMessage() {
        String body = "{\"text\":\"a\",\"ttl\":%s}";

        assertThat(MessageJson.readBody(KITCHEN, AT, body.formatted("3153600000")).ttl())
                .contains(Duration.ofDays(36_500));
        for (String tooLong :
                List.of("3153600001", "-3153600001", "9".repeat(18), "9".repeat(30))) {
            assertThatIllegalArgumentException()
                    .as(tooLong)
                    .isThrownBy(() -> MessageJson.readBody(KITCHEN, AT, body.formatted(tooLong)));
        }
    }

    /** Instant.toString() leaves them out then. */
    @ParameterizedTest
    @CsvSource({
        "2026-01-02T03:04:05Z, 2026-01-02T03:04:05.000Z, 2026-01-02T03:05:35.000Z",
        "2026-01-02T03:04:00Z, 2026-01-02T03:04:00.000Z, 2026-01-02T03:05:30.000Z",
        "2026-01-02T03:04:05.600Z, 2026-01-02T03:04:05.600Z, 2026-01-02T03:05:35.600Z",
        "2026-01-02T03:04:05.678999Z, 2026-01-02T03:04:05.678Z, 2026-01-02T03:05:35.678Z"
    })
    void timeOfAWholeSecond_hasItsMilliseconds(Instant at, String written, String end) {
        assertThat(MessageJson.write(brief(at)))
                .endsWith("\"at\":\"" + written + "\",\"expires\":\"" + end + "\"}");
    }

    /** A message that ends after 90 seconds. */
    private static Message brief(Instant at) {
        return new Message(
                KITCHEN,
                "a",
                Optional.empty(),
                Optional.empty(),
                at,
                Optional.of(Duration.ofSeconds(90)));
    }

    @Test
    void verifiedSender_isWritten_andReadBack_butNotWithoutASender() {
        Message verified = BARE.verifiedFrom("Ada");

        assertThat(MessageJson.write(verified))
                .startsWith("{\"room\":\"kitchen\",\"from\":\"Ada\",\"verified\":true,");
        String body = "{\"text\":\"a\",\"from\":\"Ada\",\"verified\":true}";
        assertThat(MessageJson.writeBody(verified)).isEqualTo(body);
        assertThat(MessageJson.readBody(KITCHEN, AT, body)).isEqualTo(verified);
        for (String other : new String[] {"false", "\"true\"", "1", "[true]", "{\"a\":true}"}) {
            assertThat(MessageJson.readBody(KITCHEN, AT, body.replace("true", other)).verified())
                    .as(other)
                    .isFalse();
        }
        assertThat(MessageJson.readBody(KITCHEN, AT, "{\"text\":\"a\",\"verified\":true}"))
                .isEqualTo(BARE);
    }

    @Test
    void storedMessage_isWrittenWithItsId() throws IOException {
        var written = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(written)) {
            MessageJson.write(json, new StoredMessage(new EventId("k3f9", 42), BARE));
        }

        assertThat(written)
                .hasToString(
                        "{\"id\":\"k3f9-42\",\"room\":\"kitchen\",\"text\":\"a\","
                                + "\"at\":\"2026-01-02T03:04:05.678Z\"}");
    }

    @Test
    void body_isReadAsItWasWritten() {
        assertThat(MessageJson.readBody(KITCHEN, AT, MessageJson.writeBody(FULL))).isEqualTo(FULL);
        assertThat(MessageJson.readBody(KITCHEN, AT, MessageJson.writeBody(BARE))).isEqualTo(BARE);
        assertThat(MessageJson.writeBody(BARE)).isEqualTo("{\"text\":\"a\"}");
    }

    @Test
    void body_ofALaterVersion_isRead_withoutTheFieldsThatItAdds() {
        String body = "{\"kind\":{\"a\":[1,{}]},\"text\":\"a\",\"ref\":7,\"from\":null}";

        assertThat(MessageJson.readBody(KITCHEN, AT, body)).isEqualTo(BARE);
    }

    /** What is in such a value is not taken for fields of the message. */
    @ParameterizedTest
    @ValueSource(strings = {"text", "from", "verified", "event", "ttl", "kind"})
    void body_withAnObjectOrAListInAField_isReadWithoutThatField(String field) {
        for (String value :
                new String[] {"{\"text\":\"b\",\"ttl\":9}", "[\"b\",{\"text\":\"b\"}]"}) {
            String body = "{\"" + field + "\":" + value + ",\"text\":\"a\"}";

            assertThat(MessageJson.readBody(KITCHEN, AT, body)).as(body).isEqualTo(BARE);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"position", "heartbeat"})
    void body_thatWasStoredBeforeItsEventTypeWasReserved_isRead(String type) {
        String body = "{\"text\":\"a\",\"event\":\"" + type + "\"}";

        assertThat(MessageJson.readBody(KITCHEN, AT, body).event()).contains(new EventType(type));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", "null", "7", "[]",
                "{", "{}", "{\"text\":7}", "{\"text\":\"a\",",
                "{\"text\":\"\"}", "{\"text\":\"a\",\"event\":\"gap\"}"
            })
    void body_thatIsNotAMessage_isRefused(String body) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> MessageJson.readBody(KITCHEN, AT, body));
    }
}
