package dev.parley.publish;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.SharedPod;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A text has at most 64 KiB of UTF-8 in each form; a longer one is refused with the reason. */
class SendSizeIT extends WatchedRoom {

    private static final int LIMIT = 64 * 1024;

    SendSizeIT(SharedPod pod) {
        super(pod);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "é", "€", "😀"})
    void textOf64KiBInBody_isTheLongest(String character) {
        int bytes = character.getBytes(UTF_8).length;
        String longest = character.repeat(LIMIT / bytes) + "a".repeat(LIMIT % bytes);

        assertRefused(http.sendForm(longest + "a", "room", room), 413, "msg too large: ");
        assertRefused(http.sendText(longest + "a", "room", room), 413, "msg too large: ");
        assertPublished(http.sendForm(longest, "room", room), longest);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "%", "€", "😀"})
    void textOf2KiBInQuery_isPublished(String character) {
        String text = character.repeat(2048 / character.getBytes(UTF_8).length);

        assertPublished(http.sendQuery(text, "room", room, "from", "😀".repeat(32)), text);
    }

    @Test
    void requestLineOfMoreThan8KiB_isRefused() {
        String answer = sendRawQuery("msg=" + "a".repeat(8192));

        // The line is not read to its end, where the version is.
        assertThat(answer).startsWith("HTTP/1.0 414 ");
    }

    @Test
    void jsonWith64KiBOfEscapedText_isPublished() {
        String escapes = "\\u0001".repeat(LIMIT);

        Answer longest = sendJson("{\"msg\":\"" + escapes + "\"}");
        Answer longer = sendJson("{\"msg\":\"" + escapes + "a\"}");

        assertPublished(longest, "\u0001".repeat(LIMIT));
        assertRefused(longer, 413, "msg too large: ");
    }

    @Test
    void bodyOfMoreThan512KiB_isRefused() {
        String answer = sendRaw("Content-Type: text/plain\r\n", "a".repeat(600_000));

        assertThat(answer).startsWith("HTTP/1.1 413 ");
    }

    @ParameterizedTest
    @ValueSource(ints = {600_000, 3_000_000})
    void chunkedBodyOfMoreThan512KiB_isRefusedWithTheReason(int length) {
        String line = http.raw(chunked("", length));
        String problem = http.raw(chunked("Accept: application/json\r\n", length));

        assertThat(line).startsWith("HTTP/1.1 413 ").contains("\r\n\r\nrequest too large: ");
        assertThat(problem)
                .startsWith("HTTP/1.1 413 ")
                .contains("application/problem+json", "\"code\":\"request-too-large\"");
    }

    private String chunked(String header, int length) {
        return """
               POST %s HTTP/1.1\r
               Host: x\r
               %sConnection: close\r
               Content-Type: text/plain\r
               Transfer-Encoding: chunked\r
               \r
               %x\r
               %s\r
               0\r
               \r
               """
                .formatted(path(), header, length, "a".repeat(length));
    }
}
