package dev.parley.publish;

import static org.assertj.core.api.Assertions.assertThat;

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

/** A request that is not a valid message is refused with the reason, and not published. */
@ExtendWith(SharedPod.Extension.class)
class SendRefusalIT {

    private static final String FORM = "application/x-www-form-urlencoded";

    private final ObjectMapper json = new ObjectMapper();
    private final Http http;
    private final WatchedRoom watched;
    private final String room;

    SendRefusalIT(SharedPod pod) {
        http = pod.http();
        watched = new WatchedRoom(pod);
        room = watched.name();
    }

    @AfterEach
    void checkWatchedRoom() {
        watched.close();
    }

    @Test
    void requestWithoutMsg_isRefused() {
        watched.assertRefused(http.post(watched.path(), FORM, ""), 400, "msg missing");
        watched.assertRefused(http.post(watched.path(), FORM, "message=hi"), 400, "msg missing");
        watched.assertRefused(http.call("POST", watched.path()), 400, "msg missing");
        watched.assertRefused(
                http.post(watched.path(), "application/json", "{}"), 400, "msg missing");
        watched.assertRefused(
                http.post(watched.path(), "application/json", "{\"msg\":null}"),
                400,
                "msg missing");
    }

    @Test
    void emptyMsg_isRefused() {
        watched.assertRefused(http.sendForm("", "room", room), 400, "msg missing");
        watched.assertRefused(http.sendQuery("", "room", room), 400, "msg missing");
        watched.assertRefused(http.sendText("", "room", room), 400, "msg missing");
        watched.assertRefused(http.sendText("msg=", "room", room), 400, "msg missing");
        watched.assertRefused(
                http.post(watched.path(), "application/json", "{\"msg\":\"\"}"),
                400,
                "msg missing");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{",
                "{\"msg\":\"hi\"",
                "{\"msg\":\"hi}",
                "{'msg':'hi'}",
                "{msg:\"hi\"}",
                "{\"msg\":\"a\nb\"}",
                "{\"msg\":\"hi\"} {}",
                "{\"msg\":\"hi\",\"msg\":\"ho\"}",
                "msg=hi",
                "\0",
                "null",
                "[]",
                "\"hi\"",
                "1",
                "true",
                "{\"msg\":1}",
                "{\"msg\":1.5}",
                "{\"msg\":true}",
                "{\"msg\":{\"a\":1}}",
                "{\"msg\":[\"hi\"]}",
                "{\"msg\":\"hi\",\"from\":1}",
                "{\"msg\":\"hi\",\"room\":{}}"
            })
    void jsonThatIsNotOneObjectOfStrings_isRefused(String body) {
        watched.assertRefused(
                http.post(watched.path(), "application/json", body), 400, "malformed JSON: ");
    }

    @Test
    void deeplyNestedJson_isRefused() {
        watched.assertRefused(
                http.post(watched.path(), "application/json", "[".repeat(100_000)),
                400,
                "malformed JSON: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a b", "é", "a\0", "a\r\nSet-Cookie: b"})
    void badRoom_isRefused(String name) {
        String message = json.createObjectNode().put("msg", "hi").put("room", name).toString();

        watched.assertRefused(http.sendForm("hi", "room", name), 400, "bad room: ");
        watched.assertRefused(http.sendQuery("hi", "room", name), 400, "bad room: ");
        watched.assertRefused(http.sendJson(message), 400, "bad room: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"gap", "position", "heartbeat"})
    void reservedEvent_isRefused(String event) {
        watched.assertRefused(
                http.sendForm("hi", "room", room, "event", event), 400, "bad event: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\r\n\r\ndata: x", "a\0"})
    void controlCharacterInEventOrFrom_isRefused(String value) {
        watched.assertRefused(
                http.sendForm("hi", "room", room, "event", value), 400, "bad event: ");
        watched.assertRefused(
                http.sendQuery("hi", "room", room, "event", value), 400, "bad event: ");
        watched.assertRefused(http.sendForm("hi", "room", room, "from", value), 400, "bad from: ");
        watched.assertRefused(http.sendQuery("hi", "room", room, "from", value), 400, "bad from: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "application/xml",
                "application/octet-stream",
                "text/html",
                "nonsense",
                "text/plain, application/json",
                "text/plain,",
                ";"
            })
    void otherContentType_isRefused(String type) {
        watched.assertRefused(
                http.post(watched.path(), type, "msg=hi"), 415, "unsupported media type: ");
    }

    @Test
    void twoContentTypes_areRefused() {
        String headers = "Content-Type: " + FORM + "\r\nContent-Type: text/plain, a/b\r\n";

        String answer = watched.sendRaw(headers, "msg=hi");

        assertThat(answer).startsWith("HTTP/1.1 415 ").contains("unsupported media type: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                ";;;",
                "nonsense",
                "/",
                "text/plain;q=x",
                "*/*;q=, application/json",
                "text/plain;q=1.1, */*",
                "text/plain, */*;q=-1"
            })
    void malformedAccept_isRefusedBeforePublishing(String accept) {
        watched.assertRefused(
                http.with("Accept", accept).sendForm("hi", "room", room), 400, "bad Accept: ");
    }

    @Test
    void callerThatAcceptsJson_getsProblem() throws Exception {
        Answer answer = http.with("Accept", "application/json").sendForm("", "room", room);

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
        JsonNode problem = json.readTree(answer.body());
        String detail = problem.path("detail").textValue();
        assertThat(problem)
                .isEqualTo(
                        json.createObjectNode()
                                .put("type", "urn:parley:problem:msg-missing")
                                .put("code", "msg-missing")
                                .put("title", "The message has no text")
                                .put("status", 400)
                                .put("detail", detail));
        assertThat(detail).startsWith("msg missing: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"application/json;q=0", "application/problem+json;q=0.0, text/html"})
    void callerThatRefusesJson_getsLineOfText(String accept) {
        watched.assertRefused(
                http.with("Accept", accept).sendForm("", "room", room), 400, "msg missing");
    }
}
