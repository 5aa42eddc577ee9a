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

/** The longest text is 64 KiB in UTF-8, however it is written; longer ones are refused in words. */
@ExtendWith(SharedPod.Extension.class)
class SendSizeIT {

    private static final int LIMIT = 64 * 1024;

    private final Http http;
    private final Witness witness;
    private final String room;

    SendSizeIT(SharedPod pod) {
        http = pod.http();
        witness = new Witness(pod);
        room = witness.room();
    }

    @AfterEach
    void witnessIsUndisturbed() {
        witness.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "é", "€", "😀"})
    void textOf64KiBInUtf8_isTheLongest(String character) {
        String longest = longest(character);

        witness.assertRefused(http.sendForm(longest + "a", "room", room), 413, "msg too large: ");
        witness.assertRefused(http.sendText(longest + "a", "room", room), 413, "msg too large: ");
        witness.assertSaid(http.sendForm(longest, "room", room), longest);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "%", "€", "😀"})
    void textOf64KiBInTheQuery_isTheLongest(String character) {
        String longest = longest(character);

        witness.assertSaid(http.sendQuery(longest, "room", room, "from", "😀".repeat(32)), longest);
        witness.assertRefused(http.sendQuery(longest + "a", "room", room), 413, "msg too large: ");
    }

    private static String longest(String character) {
        int bytes = character.getBytes(StandardCharsets.UTF_8).length;
        return character.repeat(LIMIT / bytes) + "a".repeat(LIMIT % bytes);
    }

    @Test
    void jsonOf64KiBOfText_mayBeLongerThanThat() {
        String escapes = "\\u0001".repeat(LIMIT);

        Answer longest = http.post(witness.path(), "application/json", json(escapes));
        Answer longer = http.post(witness.path(), "application/json", json(escapes + "a"));

        witness.assertSaid(longest, "\u0001".repeat(LIMIT));
        witness.assertRefused(longer, 413, "msg too large: ");
    }

    private static String json(String escapedText) {
        return "{\"msg\":\"" + escapedText + "\"}";
    }

    @Test
    void bodyOfMoreThan2Mb_isRefused() {
        String answer = witness.sendRaw("Content-Type: text/plain\r\n", "a".repeat(3_000_000));

        assertThat(answer).startsWith("HTTP/1.1 413 ");
    }

    @Test
    void chunkedBodyOfMoreThan2Mb_isRefused() {
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
                        .formatted(witness.path());

        String answer = http.raw(head + chunk.repeat(3) + "0\r\n\r\n");

        assertThat(answer).startsWith("HTTP/1.1 413 ");
    }
}
