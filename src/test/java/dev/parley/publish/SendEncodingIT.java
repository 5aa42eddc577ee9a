package dev.parley.publish;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.SharedPod;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Text is UTF-8 in bodies, queries and escapes; broken UTF-8 is refused, not repaired. */
@ExtendWith(SharedPod.Extension.class)
class SendEncodingIT {

    private static final String FORM = "application/x-www-form-urlencoded";

    private final Http http;
    private final WatchedRoom watched;

    SendEncodingIT(SharedPod pod) {
        http = pod.http();
        watched = new WatchedRoom(pod);
    }

    @AfterEach
    void checkWatchedRoom() {
        watched.close();
    }

    @Test
    void unescapedUtf8InBody_isPublished() {
        // curl --data sends what the user types as it is.
        String answer = watched.sendRaw("Content-Type: " + FORM + "\r\n", "msg=é☃😀%20é");

        assertThat(answer).startsWith("HTTP/1.1 200 ");
        watched.assertReceived("é☃😀 é");
    }

    @Test
    void unescapedUtf8InQuery_isPublished() {
        String answer = watched.sendRawQuery("msg=é%20%C3%A9");

        assertThat(answer).startsWith("HTTP/1.1 200 ");
        watched.assertReceived("é é");
    }

    @ParameterizedTest
    @ValueSource(strings = {"%", "%2", "%zz", "a%", "%%20", "%u0041"})
    void brokenPercentEscape_isRefused(String escape) {
        watched.assertRefused(http.post(watched.path(), FORM, "msg=" + escape), 400, "bad form: ");
        watched.assertRefused(
                http.post(watched.path(), "text/plain", "msg=" + escape), 400, "bad form: ");
        assertThat(watched.sendRawQuery("msg=" + escape)).startsWith("HTTP/1.1 400 ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"%FF", "%C3", "%C0%80", "%ED%A0%80", "%F5%80%80%80", "a%E2%98"})
    void brokenUtf8InEscapes_isRefused(String escapes) {
        watched.assertRefused(http.post(watched.path(), FORM, "msg=" + escapes), 400, "bad msg: ");
        watched.assertRefused(
                http.post(watched.path(), FORM, "msg=hi&from=" + escapes), 400, "bad from: ");
        watched.assertRefused(
                http.call("POST", watched.path() + "&msg=" + escapes), 400, "bad msg: ");
        watched.assertRefused(
                http.call("POST", watched.path() + "&msg=hi&from=" + escapes), 400, "bad from: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/plain", FORM, "application/json"})
    void brokenUtf8InBody_isRefused(String type) {
        byte[] body = "{\"msg\":\"\u00c3\"}&msg=\u00ff".getBytes(StandardCharsets.ISO_8859_1);

        String answer = watched.sendRaw("Content-Type: " + type + "\r\n", body);

        assertThat(answer).startsWith("HTTP/1.1 400 ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\\ud800", "\\udc00", "a\\ud83d", "\\ud83d\\ud83d\\ude00"})
    void halfSurrogatePairInJson_isRefused(String escapes) {
        watched.assertRefused(
                http.post(watched.path(), "application/json", "{\"msg\":\"" + escapes + "\"}"),
                400,
                "bad msg: ");
        watched.assertRefused(
                http.post(
                        watched.path(),
                        "application/json",
                        "{\"msg\":\"a\",\"from\":\"" + escapes + "\"}"),
                400,
                "bad from: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\r\nEvent-Id: x", "a\nEvent-Id: x", "a b", "a\0b"})
    void unescapedControlCharacterInRequestLine_isRefused(String text) {
        String answer = watched.sendRawQuery("msg=" + text);

        assertThat(answer).matches("(?s)HTTP/1.[01] 400 .*").doesNotContainIgnoringCase("event-id");
    }
}
