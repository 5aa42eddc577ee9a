package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.SharedPod;
import dev.parley.testsupport.TestRoom;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** HEAD is answered where GET is, with the same head and without a body. */
@ExtendWith(SharedPod.Extension.class)
class HeadIT {

    private final SharedPod pod;
    private final Http http;
    private final TestRoom room;

    HeadIT(SharedPod pod) {
        this.pod = pod;
        http = pod.http();
        room = pod.newRoom();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/events", "/clock"})
    void headOfAStream_hasItsHeadersAndOpensNone(String path) {
        double opened = opened();

        String answer =
                http.raw("HEAD " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

        assertThat(answer)
                .startsWith("HTTP/1.1 200 ")
                .containsIgnoringCase("\r\ncontent-type: text/event-stream;charset=utf-8\r\n")
                .containsIgnoringCase("\r\ncache-control: no-cache, no-transform\r\n")
                .doesNotContainIgnoringCase("content-length")
                .endsWith("\r\n\r\n");
        assertThat(opened()).isEqualTo(opened);
    }

    private double opened() {
        return new Metrics(pod.process()).value("parley_connected_clients");
    }

    @Test
    void connection_servesRequestsAfterTheHeadOfAStream() {
        String answers =
                http.raw(
                        """
                        HEAD /events HTTP/1.1\r
                        Host: x\r
                        \r
                        GET /events?room=- HTTP/1.1\r
                        Host: x\r
                        Connection: close\r
                        \r
                        """);

        assertThat(answers).startsWith("HTTP/1.1 200 ").contains("\r\n\r\nHTTP/1.1 400 ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"room=-", "format=xml", "history=x", "heartbeat=1"})
    void headOfAStreamThatWouldBeRefused_isRefused(String query) {
        assertThat(http.call("HEAD", "/events?" + query).status()).isEqualTo(400);
    }

    @Test
    void headOfHistory_hasTheNewestId() {
        room.publishNumbers(1, 2);
        String newest = room.publish("3");

        Answer answer = http.call("HEAD", "/rooms/" + room.name() + "/messages");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.header("Content-Type")).startsWith("application/json");
        assertThat(answer.header("Event-Id")).isEqualTo(newest);
        assertThat(answer.body()).isEmpty();
    }

    @Test
    void historyOfAnyPage_hasTheNewestIdOfTheRoom() {
        String first = room.publish("1");
        String newest = room.publish("2");

        assertThat(room.history("?limit=1&before=" + newest).header("Event-Id")).isEqualTo(newest);
        assertThat(room.history("?limit=1&after=" + first).header("Event-Id")).isEqualTo(newest);
        assertThat(room.history("?after=other-7").header("Event-Id")).isEqualTo(newest);
    }

    @Test
    void emptyRoom_hasAnIdFromWhichToResume() {
        assertThat(room.history("").header("Event-Id")).matches("[0-9a-z]+-0");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"/", "/chat.js", "/index.html", "/clock.html", "/chat.css", "/favicon.svg"})
    void headOfAPage_hasItsHeaders(String path) {
        Answer page = http.get(path);
        Answer head = http.call("HEAD", path);

        assertThat(head.status()).isEqualTo(200);
        assertThat(withoutTime(head)).isEqualTo(withoutTime(page));
        assertThat(head.body()).isEmpty();
    }

    private static Map<String, List<String>> withoutTime(Answer answer) {
        Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        headers.putAll(answer.headers().map());
        headers.remove("Date");
        return headers;
    }
}
