package dev.parley.publish;

import dev.parley.testsupport.SharedPod;
import dev.parley.testsupport.SseReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A message can be sent as a form, in the query, as JSON, or as bare text. */
class SendFormsIT extends WatchedRoom {

    SendFormsIT(SharedPod pod) {
        super(pod);
    }

    @Test
    void textInAForm_aQueryOrABody_isPublishedUnchanged() {
        String text = "hi ☃ a+b%20 & c=d";

        assertPublished(http.sendForm(text, "room", room), text);
        assertPublished(http.sendQuery(text, "room", room), text);
        assertPublished(http.sendText(text, "room", room), text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a;b", "hello; room=other", "issue #5", "#", "a;b#c;"})
    void formWithAnUnescapedSemicolonOrHash_isNotCut(String text) {
        // curl -d 'msg=issue #5' sends it as it is.
        assertPublished(send(FORM, "msg=" + text), text);
    }

    @Test
    void formOf1024Fields_isRead_andOneWithMoreIsRefused() {
        String more = "&x=1".repeat(1022) + "&room=" + room;

        assertPublished(http.post("/send", FORM, "msg=hi" + more), "hi");
        assertRefused(
                http.post("/send", FORM, "msg=hi&y=1" + more),
                "bad form: it has more than 1024 fields");
    }

    @Test
    void formWithoutContentType_isPublished() {
        assertRawPublished(sendRaw("", "msg=a+b&room=" + room), "a b");
    }

    @Test
    void queryWithoutAnyBody_isPublished() {
        assertRawPublished(sendRawQuery("msg=hi"), "hi");
    }

    @Test
    void json_isPublished_withoutTheFieldsThatParleyDoesNotKnow() {
        assertPublished(
                http.sendJson("{\"room\":\"" + room + "\",\"msg\":\"hi \\u2603\\n\\\"😀\"}"),
                "hi ☃\n\"😀");
        assertPublished(sendJson("{\"msg\":\"hi\",\"colour\":{\"a\":[1]}}"), "hi");
    }

    @Test
    void plainTextThatStartsWithMsg_isReadAsForm() {
        // fetch(url, {method: "POST", body: "msg=…"}) sends this content type.
        assertPublished(
                http.post("/send", "text/plain;charset=UTF-8", "msg=a+b%20%E2%98%83&room=" + room),
                "a b ☃");
    }

    @Test
    void fieldInBodyAndQuery_isTakenFromTheBody_unlessItIsEmptyThere() {
        assertPublished(http.post("/send?msg=query&room=" + room, FORM, "msg=body"), "body");
        assertPublished(http.post("/send?msg=query&room=" + room, FORM, "msg="), "query");
    }

    @Test
    void messageWithoutRoom_isPublishedInLobby() {
        try (SseReader lobby = SseReader.open(pod.uri("/events")).awaitLastEventId()) {
            http.sendForm("without a room");

            lobby.awaitData("without a room");
        }
        assertNothingReceived();
    }
}
