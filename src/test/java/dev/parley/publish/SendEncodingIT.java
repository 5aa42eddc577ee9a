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

/** Which bytes are text, in bodies, queries and escapes; broken ones are refused, not repaired. */
@ExtendWith(SharedPod.Extension.class)
class SendEncodingIT {

    private static final String FORM = "application/x-www-form-urlencoded";

    private final Http http;
    private final Witness witness;

    SendEncodingIT(SharedPod pod) {
        http = pod.http();
        witness = new Witness(pod);
    }

    @AfterEach
    void witnessIsUndisturbed() {
        witness.close();
    }

    @Test
    void unescapedUtf8_isText() {
        // As curl sends what is typed after --data.
        String answer = witness.sendRaw("Content-Type: " + FORM + "\r\n", "msg=é☃😀%20é");

        assertThat(answer).startsWith("HTTP/1.1 200 ");
        witness.assertReceived("é☃😀 é");
    }

    @Test
    void unescapedUtf8InQuery_isText() {
        String answer = witness.sendRawQuery("msg=é%20%C3%A9");

        assertThat(answer).startsWith("HTTP/1.1 200 ");
        witness.assertReceived("é é");
    }

    @ParameterizedTest
    @ValueSource(strings = {"%", "%2", "%zz", "a%", "%%20", "%u0041"})
    void brokenPercentEscape_isRefused(String escape) {
        witness.assertRefused(http.post(witness.path(), FORM, "msg=" + escape), 400, "bad form: ");
        witness.assertRefused(
                http.post(witness.path(), "text/plain", "msg=" + escape), 400, "bad form: ");
        assertThat(witness.sendRawQuery("msg=" + escape)).startsWith("HTTP/1.1 400 ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"%FF", "%C3", "%C0%80", "%ED%A0%80", "%F5%80%80%80", "a%E2%98"})
    void brokenUtf8InEscapes_isRefused(String escapes) {
        witness.assertRefused(http.post(witness.path(), FORM, "msg=" + escapes), 400, "bad msg: ");
        witness.assertRefused(
                http.post(witness.path(), FORM, "msg=hi&from=" + escapes), 400, "bad from: ");
        witness.assertRefused(
                http.call("POST", witness.path() + "&msg=" + escapes), 400, "bad msg: ");
        witness.assertRefused(
                http.call("POST", witness.path() + "&msg=hi&from=" + escapes), 400, "bad from: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/plain", FORM, "application/json"})
    void brokenUtf8InBody_isRefused(String type) {
        byte[] body = "{\"msg\":\"\u00c3\"}&msg=\u00ff".getBytes(StandardCharsets.ISO_8859_1);

        String answer = witness.sendRaw("Content-Type: " + type + "\r\n", body);

        assertThat(answer).startsWith("HTTP/1.1 400 ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\\ud800", "\\udc00", "a\\ud83d", "\\ud83d\\ud83d\\ude00"})
    void halfOfASurrogatePairInJson_isRefused(String escapes) {
        witness.assertRefused(
                http.post(witness.path(), "application/json", "{\"msg\":\"" + escapes + "\"}"),
                400,
                "bad msg: ");
        witness.assertRefused(
                http.post(
                        witness.path(),
                        "application/json",
                        "{\"msg\":\"a\",\"from\":\"" + escapes + "\"}"),
                400,
                "bad from: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\r\nEvent-Id: x", "a\nEvent-Id: x", "a b", "a\0b"})
    void unescapedSeparatorInTheRequestLine_isRefused(String text) {
        String answer = witness.sendRawQuery("msg=" + text);

        assertThat(answer).matches("(?s)HTTP/1.[01] 400 .*").doesNotContainIgnoringCase("event-id");
    }
}
