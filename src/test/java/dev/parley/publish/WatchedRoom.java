package dev.parley.publish;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SharedPod;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import dev.parley.testsupport.TestRoom;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The base of the tests of {@code POST /send}: a new room for each test, with a reader that checks
 * what is published. The reader must receive each accepted message once, in order and unchanged,
 * nothing else, and all of it on one connection.
 */
@ExtendWith(SharedPod.Extension.class)
abstract class WatchedRoom {

    static final String FORM = "application/x-www-form-urlencoded";

    final Http http;
    final ParleyProcess pod;

    /** The name of the room. */
    final String room;

    final SseReader reader;

    private final TestRoom testRoom;
    private final int logBefore;
    private final List<String> published = new ArrayList<>();

    WatchedRoom(SharedPod shared) {
        pod = shared.process();
        http = shared.http();
        testRoom = shared.newRoom();
        room = testRoom.name();
        logBefore = pod.log().length();
        reader = testRoom.subscribe();
    }

    /** Checks that nothing else was received and that the pod logged no warning or error. */
    @AfterEach
    void checkReaderAndLog() {
        try (SseReader open = reader) {
            assertNothingReceived();
            assertThat(open.connections()).isOne();
            assertThat(pod.log().substring(logBefore)).doesNotContain("ERROR", "WARN");
        }
    }

    /** The path and query that publish in this room. */
    String path() {
        return "/send?room=" + room;
    }

    /** Publishes in this room by a body of this content type. */
    Answer send(String contentType, String body) {
        return http.post(path(), contentType, body);
    }

    Answer sendJson(String body) {
        return send("application/json", body);
    }

    /**
     * Publishes bytes.
     *
     * @param headers further header lines, each with its line end
     * @return the answer, head and body
     */
    String sendRaw(String headers, byte[] body) {
        var request = new ByteArrayOutputStream();
        request.writeBytes(
                ("POST " + path() + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers)
                        .getBytes(UTF_8));
        request.writeBytes(("Content-Length: " + body.length + "\r\n\r\n").getBytes(UTF_8));
        request.writeBytes(body);
        return http.raw(pod.uri(), request.toByteArray());
    }

    String sendRaw(String headers, String body) {
        return sendRaw(headers, body.getBytes(UTF_8));
    }

    /** Publishes without a body: writes the query into the request line as it is, not encoded. */
    String sendRawQuery(String query) {
        String target = path() + "&" + query;
        return http.raw("POST " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    }

    /** Asserts that the request was accepted, and that the reader received the text next. */
    void assertPublished(Answer answer, String text) {
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertReceived(text);
        Event event = reader.messages().get(published.lastIndexOf(text));
        assertThat(event).isEqualTo(new Event(answer.header("Event-Id"), "message", text));
    }

    /** Asserts that an answer to {@link #sendRaw} is 200, and that the reader received the text. */
    void assertRawPublished(String answer, String text) {
        assertThat(answer).startsWith("HTTP/1.1 200 ").endsWith("\r\n\r\nok");
        assertReceived(text);
    }

    /** Asserts that these texts are all that the reader received since the last check. */
    void assertReceived(String... texts) {
        published.addAll(List.of(texts));
        String fence = "fence " + published.size();
        published.add(fence);
        testRoom.publish(fence);
        assertThat(reader.awaitData(fence).data()).isEqualTo(published);
    }

    void assertNothingReceived() {
        assertReceived();
    }

    /**
     * Asserts that the request was refused with one line that starts with this, and not published.
     */
    void assertRefused(Answer answer, int status, String reason) {
        assertThat(answer.status()).as(answer.body()).isEqualTo(status);
        assertThat(answer.body()).startsWith(reason).endsWith("\n").hasLineCount(1);
        assertThat(answer.header("Content-Type")).isEqualTo("text/plain;charset=utf-8");
        assertThat(answer.header("Event-Id")).isEmpty();
        assertNothingReceived();
    }

    /** Asserts that the request was refused with status 400 and this reason. */
    void assertRefused(Answer answer, String reason) {
        assertRefused(answer, 400, reason);
    }
}
