package dev.parley.publish;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.SharedPod;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** How a message may be written: as a form, in the query, as JSON, or as its bare text. */
@ExtendWith(SharedPod.Extension.class)
class SendFormsIT {

    private static final String FORM = "application/x-www-form-urlencoded";

    private final SharedPod pod;
    private final Http http;
    private final Witness witness;
    private final String room;

    SendFormsIT(SharedPod pod) {
        this.pod = pod;
        http = pod.http();
        witness = new Witness(pod);
        room = witness.room();
    }

    @AfterEach
    void witnessIsUndisturbed() {
        witness.close();
    }

    @Test
    void formBody_isPublished() {
        witness.assertSaid(http.sendForm("hi ☃ a+b & c=d", "room", room), "hi ☃ a+b & c=d");
    }

    @Test
    void formWithoutContentType_isPublished() {
        String answer = witness.sendRaw("", "msg=a+b&room=" + room);

        assertThat(answer).startsWith("HTTP/1.1 200 ").endsWith("\r\n\r\nok");
        witness.assertReceived("a b");
    }

    @Test
    void queryParameter_isPublished() {
        witness.assertSaid(http.sendQuery("hi ☃ a+b & c=d", "room", room), "hi ☃ a+b & c=d");
    }

    @Test
    void queryWithoutAnyBody_isPublished() {
        String answer = witness.sendRawQuery("msg=hi");

        assertThat(answer).startsWith("HTTP/1.1 200 ");
        witness.assertReceived("hi");
    }

    @Test
    void json_isPublished() {
        witness.assertSaid(
                http.sendJson("{\"room\":\"" + room + "\",\"msg\":\"hi \\u2603\\n\\\"😀\"}"),
                "hi ☃\n\"😀");
    }

    @Test
    void jsonWithOtherFields_isPublished() {
        witness.assertSaid(
                http.post(
                        witness.path(),
                        "application/json",
                        "{\"msg\":\"hi\",\"colour\":{\"a\":[1]}}"),
                "hi");
    }

    @Test
    void plainText_isPublishedAsItIs() {
        witness.assertSaid(http.sendText("hi ☃ a+b%20 & c=d", "room", room), "hi ☃ a+b%20 & c=d");
    }

    @Test
    void plainTextThatIsAForm_isReadAsOne() {
        // As fetch(url, {method: "POST", body: "msg=…"}) sends it.
        witness.assertSaid(
                http.post("/send", "text/plain;charset=UTF-8", "msg=a+b%20%E2%98%83&room=" + room),
                "a b ☃");
    }

    @Test
    void body_winsOverQuery() {
        witness.assertSaid(http.post("/send?msg=query&room=" + room, FORM, "msg=body"), "body");
    }

    @Test
    void whatTheBodyLeavesOut_isTakenFromTheQuery() {
        witness.assertSaid(http.post("/send?msg=query&room=" + room, FORM, "msg="), "query");
    }

    @Test
    void messageWithoutRoom_isForTheLobby() {
        try (SseReader lobby = SseReader.open(pod.process().uri("/events")).awaitLastEventId()) {
            http.sendForm("to everybody");

            lobby.awaitData("to everybody");
        }
        witness.assertNothingSaid();
    }

    @Test
    void eventType_isTheEventsType() {
        http.sendForm("1", "room", room, "event", "price: 😀");

        Event event = witness.reader().awaitEvents(1).events().get(0);
        assertThat(event.type()).isEqualTo("price: 😀");
        assertThat(event.data()).isEqualTo("1");
    }
}
