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

/** The answer to a publish, and the same answer to a repeat with the same Idempotency-Key. */
@ExtendWith(SharedPod.Extension.class)
class SendReceiptIT {

    private static final String FORM = "application/x-www-form-urlencoded";

    private final ObjectMapper json = new ObjectMapper();
    private final Http http;
    private final WatchedRoom watched;
    private final String room;

    SendReceiptIT(SharedPod pod) {
        http = pod.http();
        watched = new WatchedRoom(pod);
        room = watched.name();
    }

    @AfterEach
    void checkWatchedRoom() {
        watched.close();
    }

    @Test
    void publish_isAnsweredOk() {
        Answer answer = http.sendForm("hi", "room", room);

        assertThat(answer.body()).isEqualTo("ok");
        assertThat(answer.header("Content-Type")).startsWith("text/plain");
        assertThat(answer.header("Event-Id")).matches("[0-9a-z]+-1");
        watched.assertPublished(answer, "hi");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "application/json",
                "application/json, text/plain, */*",
                "application/json;charset=utf-8",
                "text/html, application/json;q=0.9"
            })
    void callerThatAcceptsJson_getsReceipt(String accept) {
        Answer answer = http.with("Accept", accept).sendForm("hi", "room", room);

        assertThat(answer.header("Content-Type")).startsWith("application/json");
        assertThat(parse(answer.body()))
                .isEqualTo(
                        json.createObjectNode()
                                .put("id", answer.header("Event-Id"))
                                .put("room", room)
                                .put("duplicate", false));
        watched.assertPublished(answer, "hi");
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
    void callerThatDoesNotNameJson_isAnsweredOk(String accept) {
        Answer answer = http.with("Accept", accept).sendForm("hi", "room", room);

        assertThat(answer.body()).isEqualTo("ok");
        watched.assertPublished(answer, "hi");
    }

    @Test
    void repeatWithSameKey_returnsFirstReceiptAndPublishesNothing() {
        Http keyed = http.with("Idempotency-Key", "key-1").with("Accept", "application/json");

        Answer first = keyed.sendForm("once", "room", room);
        Answer second = keyed.sendForm("once", "room", room);

        assertThat(parse(first.body()).path("duplicate").booleanValue()).isFalse();
        assertThat(parse(second.body()).path("duplicate").booleanValue()).isTrue();
        assertThat(second.header("Event-Id")).isEqualTo(first.header("Event-Id"));
        watched.assertReceived("once");
    }

    @Test
    void otherKeyOrOtherRoom_isNotARepeat() {
        Http keyed = http.with("Idempotency-Key", "key-1");
        String otherRoom = room + "-other";

        Answer first = keyed.sendForm("twice", "room", room);
        Answer second = http.with("Idempotency-Key", "key-2").sendForm("twice", "room", room);
        Answer third = keyed.sendForm("twice", "room", otherRoom);

        assertThat(first.header("Event-Id")).endsWith("-1");
        assertThat(second.header("Event-Id")).endsWith("-2");
        assertThat(third.header("Event-Id")).endsWith("-1");
        watched.assertReceived("twice", "twice");
    }

    @Test
    void refusedRequest_leavesItsKeyUnused() {
        Http keyed = http.with("Idempotency-Key", "key-1");
        keyed.sendForm("", "room", room);

        watched.assertPublished(keyed.sendForm("hi", "room", room), "hi");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a b", "\t", "é"})
    void keyWithInvisibleOrNonAsciiCharacter_isRefused(String key) {
        String headers = "Content-Type: %s\r\nIdempotency-Key: a%sb\r\n".formatted(FORM, key);

        String answer = watched.sendRaw(headers, "msg=hi");

        assertThat(answer).startsWith("HTTP/1.1 400 ").contains("bad Idempotency-Key: ");
    }

    @Test
    void keyOfMoreThan128Characters_isRefused() {
        Http longest = http.with("Idempotency-Key", "k".repeat(128));
        Http longer = http.with("Idempotency-Key", "k".repeat(129));

        watched.assertPublished(longest.sendForm("hi", "room", room), "hi");
        watched.assertRefused(longer.sendForm("ho", "room", room), 400, "bad Idempotency-Key: ");
    }

    private JsonNode parse(String body) {
        try {
            return json.readTree(body);
        } catch (JsonProcessingException e) {
            throw new AssertionError(body, e);
        }
    }
}
