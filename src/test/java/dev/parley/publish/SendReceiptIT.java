package dev.parley.publish;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.SharedPod;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a publisher is told, and that a repeat under its key is told the same. */
@ExtendWith(SharedPod.Extension.class)
class SendReceiptIT {

    private static final String FORM = "application/x-www-form-urlencoded";

    private final ObjectMapper json = new ObjectMapper();
    private final Http http;
    private final Witness witness;
    private final String room;

    SendReceiptIT(SharedPod pod) {
        http = pod.http();
        witness = new Witness(pod);
        room = witness.room();
    }

    @AfterEach
    void witnessIsUndisturbed() {
        witness.close();
    }

    @Test
    void publishing_isAnsweredOk() {
        Answer answer = http.sendForm("hi", "room", room);

        assertThat(answer.body()).isEqualTo("ok");
        assertThat(answer.header("Content-Type")).startsWith("text/plain");
        assertThat(answer.header("Event-Id")).matches("[0-9a-z]+-1");
        witness.assertSaid(answer, "hi");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "application/json",
                "application/json, text/plain, */*",
                "application/json;charset=utf-8",
                "text/html, application/json;q=0.9"
            })
    void callerWhoReadsJson_getsAReceipt(String accept) {
        Answer answer = http.with("Accept", accept).sendForm("hi", "room", room);

        assertThat(answer.header("Content-Type")).startsWith("application/json");
        assertThat(parse(answer.body()))
                .isEqualTo(
                        json.createObjectNode()
                                .put("id", answer.header("Event-Id"))
                                .put("room", room)
                                .put("duplicate", false));
        witness.assertSaid(answer, "hi");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "*/*",
                "text/html",
                "text/plain",
                "image/png",
                "application/json;q=0",
                "application/json; q=0.000, */*"
            })
    void anyOtherCaller_isAnsweredOk(String accept) {
        Answer answer = http.with("Accept", accept).sendForm("hi", "room", room);

        assertThat(answer.body()).isEqualTo("ok");
        witness.assertSaid(answer, "hi");
    }

    @Test
    void repeatWithTheSameKey_returnsTheFirstReceiptAndPublishesNothing() {
        Http keyed = http.with("Idempotency-Key", "key-1").with("Accept", "application/json");

        Answer first = keyed.sendForm("once", "room", room);
        Answer second = keyed.sendForm("once", "room", room);

        assertThat(parse(first.body()).path("duplicate").booleanValue()).isFalse();
        assertThat(parse(second.body()).path("duplicate").booleanValue()).isTrue();
        assertThat(second.header("Event-Id")).isEqualTo(first.header("Event-Id"));
        witness.assertReceived("once");
    }

    @Test
    void otherKeyOrOtherRoom_isNoRepeat() {
        Http keyed = http.with("Idempotency-Key", "key-1");
        String otherRoom = room + "-other";

        Answer first = keyed.sendForm("twice", "room", room);
        Answer second = http.with("Idempotency-Key", "key-2").sendForm("twice", "room", room);
        Answer third = keyed.sendForm("twice", "room", otherRoom);

        assertThat(first.header("Event-Id")).endsWith("-1");
        assertThat(second.header("Event-Id")).endsWith("-2");
        assertThat(third.header("Event-Id")).endsWith("-1");
        witness.assertReceived("twice", "twice");
    }

    @Test
    void refusedRequest_doesNotUseItsKeyUp() {
        Http keyed = http.with("Idempotency-Key", "key-1");
        keyed.sendForm("", "room", room);

        witness.assertSaid(keyed.sendForm("hi", "room", room), "hi");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a b", "\t", "é"})
    void keyThatIsNotVisibleAscii_isRefused(String key) {
        String headers = "Content-Type: %s\r\nIdempotency-Key: a%sb\r\n".formatted(FORM, key);

        String answer = witness.sendRaw(headers, "msg=hi");

        assertThat(answer).startsWith("HTTP/1.1 400 ").contains("bad Idempotency-Key: ");
    }

    @Test
    void keyOfMoreThan128Characters_isRefused() {
        Http longest = http.with("Idempotency-Key", "k".repeat(128));
        Http longer = http.with("Idempotency-Key", "k".repeat(129));

        witness.assertSaid(longest.sendForm("hi", "room", room), "hi");
        witness.assertRefused(longer.sendForm("ho", "room", room), 400, "bad Idempotency-Key: ");
    }

    private JsonNode parse(String body) {
        try {
            return json.readTree(body);
        } catch (JsonProcessingException e) {
            throw new AssertionError(body, e);
        }
    }
}
