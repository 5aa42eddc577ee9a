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
import java.io.Closeable;
import java.util.ArrayList;
import java.util.List;

/**
 * A room with a reader that checks what is published: the reader must receive each accepted message
 * once, in order and unchanged, nothing else, and all of it on one connection.
 */
final class WatchedRoom implements Closeable {

    private final ParleyProcess pod;
    private final Http http;
    private final TestRoom room;
    private final SseReader reader;
    private final int logBefore;
    private final List<String> published = new ArrayList<>();

    /** Opens a new room and its reader. */
    WatchedRoom(SharedPod shared) {
        pod = shared.process();
        http = shared.http();
        room = shared.newRoom();
        logBefore = pod.log().length();
        reader = room.subscribe();
    }

    /** The name of the room. */
    String name() {
        return room.name();
    }

    SseReader reader() {
        return reader;
    }

    /** The path and query that publish in this room. */
    String path() {
        return "/send?room=" + name();
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
        return http.raw(
                "POST "
                        + path()
                        + "&"
                        + query
                        + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    }

    /** Asserts that the request was accepted, and that the reader received the text next. */
    void assertPublished(Answer answer, String text) {
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertReceived(text);
        Event event = reader.messages().get(published.indexOf(text));
        assertThat(event).isEqualTo(new Event(answer.header("Event-Id"), "message", text));
    }

    /** Asserts that these texts are all that the reader received since the last check. */
    void assertReceived(String... texts) {
        published.addAll(List.of(texts));
        String fence = "fence " + published.size();
        published.add(fence);
        room.publish(fence);
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

    /** Asserts that nothing else was received and that the pod logged no warning or error. */
    @Override
    public void close() {
        try (SseReader open = reader) {
            assertNothingReceived();
            assertThat(open.connections()).isOne();
            assertThat(pod.log().substring(logBefore))
                    .doesNotContain("ERROR")
                    .doesNotContain("WARN");
        }
    }
}
