package dev.parley.publish;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.SharedPod;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A request that is not a valid message is refused with the reason, and not published. */
class SendRefusalIT extends WatchedRoom {

    private final ObjectMapper json = new ObjectMapper();

    SendRefusalIT(SharedPod pod) {
        super(pod);
    }

    @Test
    void requestWithoutMsg_orWithAnEmptyOne_isRefused() {
        assertRefused(send(FORM, ""), "msg missing");
        assertRefused(send(FORM, "message=hi"), "msg missing");
        assertRefused(http.call("POST", path()), "msg missing");
        assertRefused(sendJson("{}"), "msg missing");
        assertRefused(sendJson("{\"msg\":null}"), "msg missing");
        assertRefused(http.sendForm("", "room", room), "msg missing");
        assertRefused(http.sendQuery("", "room", room), "msg missing");
        assertRefused(http.sendText("", "room", room), "msg missing");
        assertRefused(http.sendText("msg=", "room", room), "msg missing");
        assertRefused(sendJson("{\"msg\":\"\"}"), "msg missing");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{", "{\"msg\":\"hi\"", "{\"msg\":\"hi}",
                "{'msg':'hi'}", "{msg:\"hi\"}", "{\"msg\":\"a\nb\"}",
                "{\"msg\":\"hi\"} {}", "{\"msg\":\"hi\",\"msg\":\"ho\"}", "msg=hi",
                "\0", "null", "[]",
                "\"hi\"", "1", "true",
                "{\"msg\":1}", "{\"msg\":1.5}", "{\"msg\":true}",
                "{\"msg\":{\"a\":1}}", "{\"msg\":[\"hi\"]}", "{\"msg\":\"hi\",\"from\":1}",
                "{\"msg\":\"hi\",\"room\":{}}"
            })
    void jsonThatIsNotOneObjectOfStrings_isRefused(String body) {
        assertRefused(sendJson(body), "malformed JSON: ");
    }

    @Test
    void fieldOfAnotherType_isNamed_withItsType() {
        assertRefused(sendJson("{\"msg\":1}"), "malformed JSON: msg must be a string");
        assertRefused(
                sendJson("{\"msg\":\"x\",\"ttl\":60.0}"),
                "malformed JSON: ttl must be a whole number");
    }

    @ParameterizedTest
    @CsvSource({
        "'{\"msg\":\"hi\",\"msg\":\"ho\"}', msg",
        "'{\"msg\":\"hi\",\"room\":null,\"room\":\"a\"}', room",
        "'{\"ttl\":60,\"msg\":\"hi\",\"ttl\":60}', ttl",
        "'{\"msg\":\"hi\",\"\\u006dsg\":\"hi\"}', msg",
        "'{\"msg\":\"hi\",\"x-1\":{},\"x-1\":[]}', x-1",
        "'{\"msg\":\"hi\",\"a\\nb\":1,\"a\\nb\":2}', a field"
    })
    void fieldThatIsThereTwice_isNamed(String body, String name) {
        assertRefused(
                sendJson(body), "malformed JSON: " + name + " is there twice; send it once\n");
    }

    @Test
    void fieldThatIsTwiceInAValueThatIsNotRead_isIgnoredWithIt() {
        assertPublished(sendJson("{\"meta\":{\"a\":1,\"a\":2},\"msg\":\"hi\"}"), "hi");
    }

    @Test
    void deeplyNestedJson_isRefused() {
        assertRefused(sendJson("[".repeat(100_000)), "malformed JSON: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a b", "é", "a\0", "a\r\nSet-Cookie: b"})
    void badRoom_isRefused(String name) {
        String message = json.createObjectNode().put("msg", "hi").put("room", name).toString();

        assertRefused(http.sendForm("hi", "room", name), "bad room: ");
        assertRefused(http.sendQuery("hi", "room", name), "bad room: ");
        assertRefused(http.sendJson(message), "bad room: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"gap", "position", "heartbeat"})
    void reservedEvent_isRefused(String event) {
        assertRefused(http.sendForm("hi", "room", room, "event", event), "bad event: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\r\n\r\ndata: x", "a\0"})
    void controlCharacterInEventOrFrom_isRefused(String value) {
        assertRefused(http.sendForm("hi", "room", room, "event", value), "bad event: ");
        assertRefused(http.sendQuery("hi", "room", room, "event", value), "bad event: ");
        assertRefused(http.sendForm("hi", "room", room, "from", value), "bad from: ");
        assertRefused(http.sendQuery("hi", "room", room, "from", value), "bad from: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "application/xml", "application/octet-stream", "text/html",
                "nonsense", "text/plain, application/json", "text/plain,",
                ";"
            })
    void otherContentType_isRefused(String type) {
        assertRefused(send(type, "msg=hi"), 415, "unsupported media type: ");
    }

    @Test
    void twoContentTypes_areRefused() {
        String headers = "Content-Type: " + FORM + "\r\nContent-Type: text/plain, a/b\r\n";

        String answer = sendRaw(headers, "msg=hi");

        assertThat(answer).startsWith("HTTP/1.1 415 ").contains("unsupported media type: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                ";;;", "nonsense", "/",
                "text/plain;q=x", "*/*;q=, application/json", "text/plain;q=1.1, */*",
                "text/plain, */*;q=-1"
            })
    void malformedAccept_isRefusedBeforePublishing(String accept) {
        assertRefused(http.with("Accept", accept).sendForm("hi", "room", room), "bad Accept: ");
    }

    @Test
    void callerThatAcceptsJson_getsProblem() {
        Answer answer = http.with("Accept", "application/json").sendForm("", "room", room);

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
        JsonNode problem = answer.json();
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
        assertRefused(http.with("Accept", accept).sendForm("", "room", room), "msg missing");
    }
}
