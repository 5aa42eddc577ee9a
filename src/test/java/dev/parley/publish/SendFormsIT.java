package dev.parley.publish;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.SharedPod;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A message can be sent as a form, in the query, as JSON, or as bare text. */
@ExtendWith(SharedPod.Extension.class)
class SendFormsIT {

    private static final String FORM = "application/x-www-form-urlencoded";

    private final SharedPod pod;
    private final Http http;
    private final WatchedRoom watched;
    private final String room;

    SendFormsIT(SharedPod pod) {
        this.pod = pod;
        http = pod.http();
        watched = new WatchedRoom(pod);
        room = watched.name();
    }

    @AfterEach
    void checkWatchedRoom() {
        watched.close();
    }

    @Test
    void formBody_isPublished() {
        watched.assertPublished(http.sendForm("hi ☃ a+b & c=d", "room", room), "hi ☃ a+b & c=d");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a;b", "hello; room=other", "issue #5", "#", "a;b#c;"})
    void formWithAnUnescapedSemicolonOrHash_isNotCut(String text) {
        // curl -d 'msg=issue #5' sends it as it is.
        watched.assertPublished(http.post(watched.path(), FORM, "msg=" + text), text);
    }

    @Test
    void formOf1024Fields_isRead_andOneWithMoreIsRefused() {
        String more = "&x=1".repeat(1022) + "&room=" + room;

        watched.assertPublished(http.post("/send", FORM, "msg=hi" + more), "hi");
        watched.assertRefused(
                http.post("/send", FORM, "msg=hi&y=1" + more),
                400,
                "bad form: it has more than 1024 fields");
    }

    @Test
    void formWithoutContentType_isPublished() {
        String answer = watched.sendRaw("", "msg=a+b&room=" + room);

        assertThat(answer).startsWith("HTTP/1.1 200 ").endsWith("\r\n\r\nok");
        watched.assertReceived("a b");
    }

    @Test
    void queryParameter_isPublished() {
        watched.assertPublished(http.sendQuery("hi ☃ a+b & c=d", "room", room), "hi ☃ a+b & c=d");
    }

    @Test
    void queryWithoutAnyBody_isPublished() {
        String answer = watched.sendRawQuery("msg=hi");

        assertThat(answer).startsWith("HTTP/1.1 200 ");
        watched.assertReceived("hi");
    }

    @Test
    void json_isPublished() {
        watched.assertPublished(
                http.sendJson("{\"room\":\"" + room + "\",\"msg\":\"hi \\u2603\\n\\\"😀\"}"),
                "hi ☃\n\"😀");
    }

    @Test
    void jsonWithOtherFields_isPublished() {
        watched.assertPublished(
                http.post(
                        watched.path(),
                        "application/json",
                        "{\"msg\":\"hi\",\"colour\":{\"a\":[1]}}"),
                "hi");
    }

    @Test
    void plainText_isPublishedUnchanged() {
        watched.assertPublished(
                http.sendText("hi ☃ a+b%20 & c=d", "room", room), "hi ☃ a+b%20 & c=d");
    }

    @Test
    void plainTextThatStartsWithMsg_isReadAsForm() {
        // fetch(url, {method: "POST", body: "msg=…"}) sends this content type.
        watched.assertPublished(
                http.post("/send", "text/plain;charset=UTF-8", "msg=a+b%20%E2%98%83&room=" + room),
                "a b ☃");
    }

    @Test
    void fieldInBodyAndQuery_isTakenFromBody() {
        watched.assertPublished(
                http.post("/send?msg=query&room=" + room, FORM, "msg=body"), "body");
    }

    @Test
    void fieldThatBodyLeavesEmpty_isTakenFromQuery() {
        watched.assertPublished(http.post("/send?msg=query&room=" + room, FORM, "msg="), "query");
    }

    @Test
    void messageWithoutRoom_isPublishedInLobby() {
        try (SseReader lobby = SseReader.open(pod.process().uri("/events")).awaitLastEventId()) {
            http.sendForm("without a room");

            lobby.awaitData("without a room");
        }
        watched.assertNothingReceived();
    }

    @Test
    void eventField_isTheTypeThatReadersDispatch() {
        http.sendForm("1", "room", room, "event", "price: 😀");

        Event event = watched.reader().awaitEvents(1).events().get(0);
        assertThat(event.type()).isEqualTo("price: 😀");
        assertThat(event.data()).isEqualTo("1");
    }
}
