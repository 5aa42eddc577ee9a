package dev.parley.publish;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.SharedPod;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A text has at most 64 KiB of UTF-8 in each form; a longer one is refused with the reason. */
@ExtendWith(SharedPod.Extension.class)
class SendSizeIT {

    private static final int LIMIT = 64 * 1024;

    private final Http http;
    private final WatchedRoom watched;
    private final String room;

    SendSizeIT(SharedPod pod) {
        http = pod.http();
        watched = new WatchedRoom(pod);
        room = watched.name();
    }

    @AfterEach
    void checkWatchedRoom() {
        watched.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "é", "€", "😀"})
    void textOf64KiBInBody_isTheLongest(String character) {
        String longest = longest(character);

        watched.assertRefused(http.sendForm(longest + "a", "room", room), 413, "msg too large: ");
        watched.assertRefused(http.sendText(longest + "a", "room", room), 413, "msg too large: ");
        watched.assertPublished(http.sendForm(longest, "room", room), longest);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "%", "€", "😀"})
    void textOf2KiBInQuery_isPublished(String character) {
        String text = character.repeat(2048 / character.getBytes(StandardCharsets.UTF_8).length);

        watched.assertPublished(http.sendQuery(text, "room", room, "from", "😀".repeat(32)), text);
    }

    @Test
    void requestLineOfMoreThan8KiB_isRefused() {
        String answer = watched.sendRawQuery("msg=" + "a".repeat(8192));

        // The line is not read to its end, where the version is.
        assertThat(answer).startsWith("HTTP/1.0 414 ");
    }

    private static String longest(String character) {
        int bytes = character.getBytes(StandardCharsets.UTF_8).length;
        return character.repeat(LIMIT / bytes) + "a".repeat(LIMIT % bytes);
    }

    @Test
    void jsonWith64KiBOfEscapedText_isPublished() {
        String escapes = "\\u0001".repeat(LIMIT);

        Answer longest = http.post(watched.path(), "application/json", json(escapes));
        Answer longer = http.post(watched.path(), "application/json", json(escapes + "a"));

        watched.assertPublished(longest, "\u0001".repeat(LIMIT));
        watched.assertRefused(longer, 413, "msg too large: ");
    }

    private static String json(String escapedText) {
        return "{\"msg\":\"" + escapedText + "\"}";
    }

    @Test
    void bodyOfMoreThan512KiB_isRefused() {
        String answer = watched.sendRaw("Content-Type: text/plain\r\n", "a".repeat(600_000));

        assertThat(answer).startsWith("HTTP/1.1 413 ");
    }

    @Test
    void chunkedBodyOfMoreThan512KiB_isRefused() {
        String chunk = "100000\r\n" + "a".repeat(0x100000) + "\r\n";
        String head =
                """
                POST %s HTTP/1.1\r
                Host: x\r
                Connection: close\r
                Content-Type: text/plain\r
                Transfer-Encoding: chunked\r
                \r
                """
                        .formatted(watched.path());

        String answer = http.raw(head + chunk.repeat(3) + "0\r\n\r\n");

        assertThat(answer).startsWith("HTTP/1.1 413 ");
    }
}
