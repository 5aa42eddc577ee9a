package dev.parley.publish;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.SharedPod;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The answer to a publish, and the same answer to a repeat with the same Idempotency-Key. */
class SendReceiptIT extends WatchedRoom {

    private final ObjectMapper json = new ObjectMapper();

    SendReceiptIT(SharedPod pod) {
        super(pod);
    }

    @Test
    void publish_isAnsweredOk() {
        Answer answer = http.sendForm("hi", "room", room);

        assertThat(answer.body()).isEqualTo("ok");
        assertThat(answer.header("Content-Type")).startsWith("text/plain");
        assertThat(answer.header("Event-Id")).matches("[0-9a-z]+-1");
        assertPublished(answer, "hi");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "application/json", "application/json, text/plain, */*",
                "application/json;charset=utf-8", "text/html, application/json;q=0.9"
            })
    void callerThatAcceptsJson_getsReceipt(String accept) {
        Answer answer = http.with("Accept", accept).sendForm("hi", "room", room);

        assertThat(answer.header("Content-Type")).startsWith("application/json");
        assertThat(answer.json())
                .isEqualTo(
                        json.createObjectNode()
                                .put("id", answer.header("Event-Id"))
                                .put("room", room)
                                .put("duplicate", false));
        assertPublished(answer, "hi");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "*/*", "text/html", "text/plain",
                "image/png", "application/json;q=0", "application/json; q=0.000, */*"
            })
    void callerThatDoesNotNameJson_isAnsweredOk(String accept) {
        Answer answer = http.with("Accept", accept).sendForm("hi", "room", room);

        assertThat(answer.body()).isEqualTo("ok");
        assertPublished(answer, "hi");
    }

    @Test
    void repeatWithSameKey_returnsFirstReceiptAndPublishesNothing() {
        Http keyed = http.with("Idempotency-Key", "key-1").with("Accept", "application/json");

        Answer first = keyed.sendForm("once", "room", room);
        Answer second = keyed.sendForm("once", "room", room);

        assertThat(first.json().path("duplicate").booleanValue()).isFalse();
        assertThat(second.json().path("duplicate").booleanValue()).isTrue();
        assertThat(second.header("Event-Id")).isEqualTo(first.header("Event-Id"));
        assertReceived("once");
    }

    @Test
    void refusedRequest_leavesItsKeyUnused() {
        Http keyed = http.with("Idempotency-Key", "key-1");
        keyed.sendForm("", "room", room);

        assertPublished(keyed.sendForm("hi", "room", room), "hi");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a b", "\t", "é"})
    void keyWithInvisibleOrNonAsciiCharacter_isRefused(String key) {
        String headers = "Content-Type: %s\r\nIdempotency-Key: a%sb\r\n".formatted(FORM, key);

        String answer = sendRaw(headers, "msg=hi");

        assertThat(answer).startsWith("HTTP/1.1 400 ").contains("bad Idempotency-Key: ");
    }

    @Test
    void keyOfMoreThan128Characters_isRefused() {
        Http longest = http.with("Idempotency-Key", "k".repeat(128));
        Http longer = http.with("Idempotency-Key", "k".repeat(129));

        assertPublished(longest.sendForm("hi", "room", room), "hi");
        assertRefused(longer.sendForm("ho", "room", room), "bad Idempotency-Key: ");
    }

    @ParameterizedTest
    @CsvSource({"k, l", "k, ''", "'', k"})
    void differentKeys_areRefused(String one, String other) {
        String headers =
                "Content-Type: %s\r\nIdempotency-Key: %s\r\nIdempotency-Key: %s\r\n"
                        .formatted(FORM, one, other);

        String answer = sendRaw(headers, "msg=hi");

        assertThat(answer).startsWith("HTTP/1.1 400 ").contains("bad Idempotency-Key: ");
    }

    /** As in version 0.1: some libraries send the header of a variable that is not set. */
    @Test
    void emptyKey_isNone() {
        String headers = "Content-Type: " + FORM + "\r\nIdempotency-Key:\r\n";

        assertRawPublished(sendRaw(headers, "msg=hi"), "hi");
        assertRawPublished(sendRaw(headers, "msg=hi"), "hi");
    }
}
