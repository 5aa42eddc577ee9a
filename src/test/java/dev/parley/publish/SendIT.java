package dev.parley.publish;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Publishing in every form, and every way to do it wrong. Each test has a room with a reader of its
 * own, who in the end must have received what was accepted and nothing else, on one connection.
 */
class SendIT {

    private static final int LIMIT = 64 * 1024;
    private static final String FORM = "application/x-www-form-urlencoded";
    private static final AtomicInteger ROOMS = new AtomicInteger();

    private static ParleyProcess pod;
    private static Http http;

    private final ObjectMapper json = new ObjectMapper();
    private final String room = "room-" + ROOMS.incrementAndGet();
    private final List<String> said = new ArrayList<>();
    private SseReader reader;

    @BeforeAll
    static void startPod() {
        pod = ParleyProcess.start().awaitReady();
        http = new Http(pod.uri());
    }

    @AfterAll
    static void stopPod() {
        pod.close();
    }

    @BeforeEach
    void subscribe() {
        reader = SseReader.open(pod.uri("/events?room=" + room)).awaitLastEventId();
    }

    @AfterEach
    void readerIsUndisturbed() {
        try (SseReader open = reader) {
            assertNothingSaid();
            assertThat(open.connections()).isOne();
            assertThat(pod.log()).doesNotContain("ERROR").doesNotContain("WARN");
        }
    }

    private String path() {
        return "/send?room=" + room;
    }

    private JsonNode parse(String body) {
        try {
            return json.readTree(body);
        } catch (JsonProcessingException e) {
            throw new AssertionError(body, e);
        }
    }

    /** Accepted, and received as the next message. */
    private void assertSaid(Answer answer, String text) {
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertReceived(text);
        Event event = reader.messages().get(said.indexOf(text));
        assertThat(event).isEqualTo(new Event(answer.header("Event-Id"), "message", text));
    }

    /** These are the next messages, and there are no more. */
    private void assertReceived(String... texts) {
        said.addAll(List.of(texts));
        String fence = "fence " + said.size();
        said.add(fence);
        assertThat(http.sendForm(fence, "room", room).status()).isEqualTo(200);
        assertThat(reader.awaitData(fence).data()).isEqualTo(said);
    }

    private void assertNothingSaid() {
        assertReceived();
    }

    private void assertRefused(Answer answer, int status, String reason) {
        assertThat(answer.status()).as(answer.body()).isEqualTo(status);
        assertThat(answer.body()).startsWith(reason).endsWith("\n").hasLineCount(1);
        assertThat(answer.header("Content-Type")).isEqualTo("text/plain;charset=utf-8");
        assertThat(answer.header("Event-Id")).isEmpty();
        assertNothingSaid();
    }

    // What is accepted.

    @Test
    void formBody_isPublished() {
        assertSaid(http.sendForm("hi ☃ a+b & c=d", "room", room), "hi ☃ a+b & c=d");
    }

    @Test
    void queryParameter_isPublished() {
        assertSaid(http.sendQuery("hi ☃ a+b & c=d", "room", room), "hi ☃ a+b & c=d");
    }

    @Test
    void json_isPublished() {
        assertSaid(
                http.sendJson("{\"room\":\"" + room + "\",\"msg\":\"hi \\u2603\\n\\\"😀\"}"),
                "hi ☃\n\"😀");
    }

    @Test
    void jsonWithOtherFields_isPublished() {
        assertSaid(
                http.post(path(), "application/json", "{\"msg\":\"hi\",\"colour\":{\"a\":[1]}}"),
                "hi");
    }

    @Test
    void plainText_isPublishedAsItIs() {
        assertSaid(http.sendText("hi ☃ a+b%20 & c=d", "room", room), "hi ☃ a+b%20 & c=d");
    }

    @Test
    void plainTextThatIsAForm_isReadAsOne() {
        // As fetch(url, {method: "POST", body: "msg=…"}) sends it.
        assertSaid(
                http.post("/send", "text/plain;charset=UTF-8", "msg=a+b%20%E2%98%83&room=" + room),
                "a b ☃");
    }

    @Test
    void formWithoutContentType_isPublished() {
        String answer = postRaw("", ("msg=a+b&room=" + room).getBytes(StandardCharsets.UTF_8));

        assertThat(answer).startsWith("HTTP/1.1 200 ").endsWith("\r\n\r\nok");
        assertReceived("a b");
    }

    @Test
    void queryWithoutAnyBody_isPublished() {
        String answer =
                http.raw(
                        "POST /send?msg=hi&room="
                                + room
                                + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

        assertThat(answer).startsWith("HTTP/1.1 200 ");
        assertReceived("hi");
    }

    @Test
    void unescapedUtf8_isText() {
        // As curl sends what is typed after --data.
        String answer =
                postRaw(
                        "Content-Type: " + FORM + "\r\n",
                        ("msg=é☃😀%20é&room=" + room).getBytes(StandardCharsets.UTF_8));

        assertThat(answer).startsWith("HTTP/1.1 200 ");
        assertReceived("é☃😀 é");
    }

    @Test
    void unescapedUtf8InQuery_isText() {
        String answer =
                http.raw(
                        "POST /send?msg=é%20%C3%A9&room="
                                + room
                                + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

        assertThat(answer).startsWith("HTTP/1.1 200 ");
        assertReceived("é é");
    }

    @Test
    void body_winsOverQuery() {
        assertSaid(http.post("/send?msg=query&room=" + room, FORM, "msg=body"), "body");
    }

    @Test
    void whatTheBodyLeavesOut_isTakenFromTheQuery() {
        assertSaid(http.post("/send?msg=query&room=" + room, FORM, "msg="), "query");
    }

    @Test
    void messageWithoutRoom_isForTheLobby() {
        try (SseReader lobby = SseReader.open(pod.uri("/events")).awaitLastEventId()) {
            http.sendForm("to everybody");

            lobby.awaitData("to everybody");
        }
        assertNothingSaid();
    }

    @Test
    void eventType_isTheEventsType() {
        http.sendForm("1", "room", room, "event", "price: 😀");

        Event event = reader.awaitEvents(1).events().get(0);
        assertThat(event.type()).isEqualTo("price: 😀");
        assertThat(event.data()).isEqualTo("1");
    }

    @Test
    void publishing_isAnsweredOk() {
        Answer answer = http.sendForm("hi", "room", room);

        assertThat(answer.body()).isEqualTo("ok");
        assertThat(answer.header("Content-Type")).startsWith("text/plain");
        assertThat(answer.header("Event-Id")).matches("[0-9a-z]+-1");
        assertSaid(answer, "hi");
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
        assertSaid(answer, "hi");
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
        assertSaid(answer, "hi");
    }

    // Repeats.

    @Test
    void repeatWithTheSameKey_returnsTheFirstReceiptAndPublishesNothing() {
        Http keyed = http.with("Idempotency-Key", "key-1").with("Accept", "application/json");

        Answer first = keyed.sendForm("once", "room", room);
        Answer second = keyed.sendForm("once", "room", room);

        assertThat(parse(first.body()).path("duplicate").booleanValue()).isFalse();
        assertThat(parse(second.body()).path("duplicate").booleanValue()).isTrue();
        assertThat(second.header("Event-Id")).isEqualTo(first.header("Event-Id"));
        assertReceived("once");
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
        assertReceived("twice", "twice");
    }

    @Test
    void refusedRequest_doesNotUseItsKeyUp() {
        Http keyed = http.with("Idempotency-Key", "key-1");
        keyed.sendForm("", "room", room);

        assertSaid(keyed.sendForm("hi", "room", room), "hi");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a b", "\t", "é"})
    void keyThatIsNotVisibleAscii_isRefused(String key) {
        String answer =
                postRaw(
                        "Content-Type: " + FORM + "\r\nIdempotency-Key: a" + key + "b\r\n",
                        ("msg=hi&room=" + room).getBytes(StandardCharsets.UTF_8));

        assertThat(answer).startsWith("HTTP/1.1 400 ").contains("bad Idempotency-Key: ");
        assertNothingSaid();
    }

    @Test
    void keyOfMoreThan128Characters_isRefused() {
        assertThat(
                        http.with("Idempotency-Key", "k".repeat(128))
                                .sendForm("hi", "room", room + "-other")
                                .status())
                .isEqualTo(200);
        assertRefused(
                http.with("Idempotency-Key", "k".repeat(129)).sendForm("hi", "room", room),
                400,
                "bad Idempotency-Key: ");
    }

    // What is refused.

    @Test
    void requestWithoutMsg_isRefused() {
        assertRefused(http.post(path(), FORM, ""), 400, "msg missing");
        assertRefused(http.post(path(), FORM, "message=hi"), 400, "msg missing");
        assertRefused(http.call("POST", path()), 400, "msg missing");
        assertRefused(http.post(path(), "application/json", "{}"), 400, "msg missing");
        assertRefused(http.post(path(), "application/json", "null"), 400, "malformed JSON");
        assertRefused(http.post(path(), "application/json", "{\"msg\":null}"), 400, "msg missing");
    }

    @Test
    void emptyMsg_isRefused() {
        assertRefused(http.sendForm("", "room", room), 400, "msg missing");
        assertRefused(http.sendQuery("", "room", room), 400, "msg missing");
        assertRefused(http.sendText("", "room", room), 400, "msg missing");
        assertRefused(http.sendText("msg=", "room", room), 400, "msg missing");
        assertRefused(http.post(path(), "application/json", "{\"msg\":\"\"}"), 400, "msg missing");
    }

    @Test
    void callerWhoReadsJson_getsAProblem() {
        Answer answer = http.with("Accept", "application/json").sendForm("", "room", room);

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
        assertThat(parse(answer.body()))
                .isEqualTo(
                        json.createObjectNode()
                                .put("type", "about:blank")
                                .put("title", "Bad Request")
                                .put("status", 400)
                                .put("detail", "msg missing"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"application/json;q=0", "application/problem+json;q=0.0, text/html"})
    void callerWhoReadsNoJson_getsALine(String accept) {
        assertRefused(http.with("Accept", accept).sendForm("", "room", room), 400, "msg missing");
    }

    @ParameterizedTest
    @CsvSource({"a, 65536", "é, 32768", "€, 21845", "😀, 16384"})
    void textOf64KiBInUtf8_isTheLongest(String character, int count) {
        String longest = character.repeat(count) + "a".repeat(LIMIT % count == 0 ? 0 : 1);

        assertRefused(http.sendForm(longest + "a", "room", room), 413, "msg too large: ");
        assertRefused(http.sendText(longest + "a", "room", room), 413, "msg too large: ");
        assertSaid(http.sendForm(longest, "room", room), longest);
    }

    @ParameterizedTest
    @CsvSource({"a, 65536", "%, 65536", "€, 21845", "😀, 16384"})
    void textOf64KiBInTheQuery_isPublished(String character, int count) {
        String longest = character.repeat(count);

        assertSaid(http.sendQuery(longest, "room", room, "from", "😀".repeat(32)), longest);
        assertRefused(http.sendQuery(longest + "ab", "room", room), 413, "msg too large: ");
    }

    @Test
    void jsonOf64KiBOfText_mayBeLongerThanThat() {
        String text = "\u0001".repeat(LIMIT);

        Answer answer = http.post(path(), "application/json", json(text));

        assertSaid(answer, text);
        assertThat(http.post(path(), "application/json", json(text + "\u0001")).status())
                .isEqualTo(413);
    }

    private String json(String text) {
        return json.createObjectNode().put("msg", text).toString();
    }

    @Test
    void bodyOfMoreThan2Mb_isRefused() {
        byte[] huge = new byte[3_000_000];
        Arrays.fill(huge, (byte) 'a');

        String answer = postRaw("Content-Type: text/plain\r\n", huge);

        assertThat(answer).startsWith("HTTP/1.1 413 ");
        assertNothingSaid();
    }

    @Test
    void chunkedBodyOfMoreThan2Mb_isRefused() {
        String chunk = "100000\r\n" + "a".repeat(0x100000) + "\r\n";
        String request =
                ("POST " + path() + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n")
                        + "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + chunk.repeat(3)
                        + "0\r\n\r\n";

        assertThat(http.raw(request)).startsWith("HTTP/1.1 413 ");
        assertNothingSaid();
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
                "\0"
            })
    void malformedJson_isRefused(String body) {
        assertRefused(http.post(path(), "application/json", body), 400, "malformed JSON: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
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
    void jsonOfTheWrongType_isRefused(String body) {
        assertRefused(http.post(path(), "application/json", body), 400, "malformed JSON: ");
    }

    @Test
    void deeplyNestedJson_isRefused() {
        assertRefused(
                http.post(path(), "application/json", "[".repeat(100_000)),
                400,
                "malformed JSON: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "application/xml",
                "application/octet-stream",
                "text/html",
                "multipart/form-data; boundary=x",
                "nonsense",
                "text/plain, application/json",
                "text/plain,",
                ";"
            })
    void otherContentType_isRefused(String type) {
        assertRefused(http.post(path(), type, "msg=hi"), 415, "unsupported media type: ");
    }

    @Test
    void twoContentTypes_areRefused() {
        String answer =
                postRaw(
                        "Content-Type: " + FORM + "\r\nContent-Type: text/plain, a/b\r\n",
                        "msg=hi".getBytes(StandardCharsets.UTF_8));

        assertThat(answer).startsWith("HTTP/1.1 415 ").contains("unsupported media type: ");
        assertNothingSaid();
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
    void nonsenseInAccept_isRefusedBeforeAnythingIsPublished(String accept) {
        assertRefused(
                http.with("Accept", accept).sendForm("hi", "room", room), 400, "bad Accept: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                ".",
                "-a",
                "_a",
                "a b",
                "a/b",
                "a:b",
                "{a}",
                "é",
                "a\0",
                "a\n",
                "a\r\nSet-Cookie: b"
            })
    void badRoom_isRefused(String name) {
        assertRefused(http.sendForm("hi", "room", name), 400, "bad room: ");
        assertRefused(http.sendQuery("hi", "room", name), 400, "bad room: ");
        assertRefused(
                http.sendJson(
                        json.createObjectNode().put("msg", "hi").put("room", name).toString()),
                400,
                "bad room: ");
    }

    @Test
    void roomOfMoreThan64Characters_isRefused() {
        assertThat(http.sendForm("hi", "room", "r".repeat(64)).status()).isEqualTo(200);
        assertRefused(http.sendForm("hi", "room", "r".repeat(65)), 400, "bad room: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"open", "error", "gap", "resumed", "goodbye"})
    void reservedEvent_isRefused(String event) {
        assertRefused(http.sendForm("hi", "room", room, "event", event), 400, "bad event: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\nid: 1", "a\rdata: x", "a\r\n\r\ndata: x", "a\0", "\n"})
    void fieldsWithinEventOrFrom_areRefused(String value) {
        assertRefused(http.sendForm("hi", "room", room, "event", value), 400, "bad event: ");
        assertRefused(http.sendQuery("hi", "room", room, "event", value), 400, "bad event: ");
        assertRefused(http.sendForm("hi", "room", room, "from", value), 400, "bad from: ");
        assertRefused(http.sendQuery("hi", "room", room, "from", value), 400, "bad from: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"%", "%2", "%zz", "a%", "%%20", "%u0041"})
    void brokenPercentEscape_isRefused(String escape) {
        assertRefused(http.post(path(), FORM, "msg=" + escape), 400, "bad form: ");
        assertRefused(http.post(path(), "text/plain", "msg=" + escape), 400, "bad form: ");
        assertThat(
                        http.raw(
                                "POST /send?msg=%s&room=%s HTTP/1.1\r\nHost: x\r\n\r\n"
                                        .formatted(escape, room)))
                .startsWith("HTTP/1.1 400 ");
        assertNothingSaid();
    }

    @ParameterizedTest
    @ValueSource(strings = {"%FF", "%C3", "%C0%80", "%ED%A0%80", "%F5%80%80%80", "a%E2%98"})
    void brokenUtf8InEscapes_isRefused(String escapes) {
        assertRefused(http.post(path(), FORM, "msg=" + escapes), 400, "bad msg: ");
        assertRefused(http.post(path(), FORM, "msg=hi&from=" + escapes), 400, "bad from: ");
        assertRefused(http.call("POST", path() + "&msg=" + escapes), 400, "bad msg: ");
        assertRefused(http.call("POST", path() + "&msg=hi&from=" + escapes), 400, "bad from: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/plain", FORM, "application/json"})
    void brokenUtf8InBody_isRefused(String type) {
        var body = new ByteArrayOutputStream();
        body.writeBytes("{\"msg\":\"".getBytes(StandardCharsets.UTF_8));
        body.write(0xC3);
        body.writeBytes("\"}&msg=".getBytes(StandardCharsets.UTF_8));
        body.write(0xFF);

        String answer = postRaw("Content-Type: " + type + "\r\n", body.toByteArray());

        assertThat(answer).startsWith("HTTP/1.1 400 ");
        assertNothingSaid();
    }

    @ParameterizedTest
    @ValueSource(strings = {"\\ud800", "\\udc00", "a\\ud83d", "\\ud83d\\ud83d\\ude00"})
    void halfOfASurrogatePairInJson_isRefused(String escapes) {
        assertRefused(
                http.post(path(), "application/json", "{\"msg\":\"" + escapes + "\"}"),
                400,
                "bad msg: ");
        assertRefused(
                http.post(
                        path(), "application/json", "{\"msg\":\"a\",\"from\":\"" + escapes + "\"}"),
                400,
                "bad from: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/send?msg=a\r\nEvent-Id: x",
                "/send?msg=a\nEvent-Id: x",
                "/send?msg=a b",
                "/send?msg=a\0b"
            })
    void lineEndsInTheRequestLine_areRefused(String target) {
        String answer =
                http.raw(
                        "POST "
                                + target
                                + "&room="
                                + room
                                + " HTTP/1.1\r\nHost: x\r\n"
                                + "Content-Length: 0\r\nConnection: close\r\n\r\n");

        assertThat(answer).matches("(?s)HTTP/1.[01] 400 .*").doesNotContainIgnoringCase("event-id");
        assertNothingSaid();
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "HEAD", "PUT", "DELETE", "PATCH"})
    void otherMethod_isRefused(String method) {
        assertThat(http.call(method, path() + "&msg=hi").status()).isEqualTo(405);
        assertNothingSaid();
    }

    /** On a connection of its own, with these header lines. */
    private String postRaw(String headers, byte[] body) {
        var request = new ByteArrayOutputStream();
        request.writeBytes(
                ("POST " + path() + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers)
                        .getBytes(StandardCharsets.UTF_8));
        request.writeBytes(
                ("Content-Length: " + body.length + "\r\n\r\n").getBytes(StandardCharsets.UTF_8));
        request.writeBytes(body);
        return http.raw(pod.uri(), request.toByteArray());
    }
}
