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
 * The reader of a room that is published to: what is accepted it must receive, in order and as it
 * was meant, and nothing else, on one connection.
 */
final class Witness implements Closeable {

    private final ParleyProcess pod;
    private final Http http;
    private final TestRoom room;
    private final SseReader reader;
    private final int logBefore;
    private final List<String> said = new ArrayList<>();

    /** A witness in a new room. */
    Witness(SharedPod shared) {
        pod = shared.process();
        http = shared.http();
        room = shared.newRoom();
        logBefore = pod.log().length();
        reader = room.subscribe();
    }

    /** The name of the room. */
    String room() {
        return room.name();
    }

    SseReader reader() {
        return reader;
    }

    /** The call that publishes in this room. */
    String path() {
        return "/send?room=" + room();
    }

    /** Publishes these bytes under these header lines; the answer is as it came, head and all. */
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

    /** Publishes by these characters in the request line, without a body. */
    String sendRawQuery(String query) {
        return http.raw(
                "POST "
                        + path()
                        + "&"
                        + query
                        + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    }

    /** Accepted, and received as the next message. */
    void assertSaid(Answer answer, String text) {
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertReceived(text);
        Event event = reader.messages().get(said.indexOf(text));
        assertThat(event).isEqualTo(new Event(answer.header("Event-Id"), "message", text));
    }

    /** These are the next messages, and there are no more. */
    void assertReceived(String... texts) {
        said.addAll(List.of(texts));
        String fence = "fence " + said.size();
        said.add(fence);
        room.say(fence);
        assertThat(reader.awaitData(fence).data()).isEqualTo(said);
    }

    void assertNothingSaid() {
        assertReceived();
    }

    /** Refused in one line that begins like this, and not received. */
    void assertRefused(Answer answer, int status, String reason) {
        assertThat(answer.status()).as(answer.body()).isEqualTo(status);
        assertThat(answer.body()).startsWith(reason).endsWith("\n").hasLineCount(1);
        assertThat(answer.header("Content-Type")).isEqualTo("text/plain;charset=utf-8");
        assertThat(answer.header("Event-Id")).isEmpty();
        assertNothingSaid();
    }

    /** Nothing more was received, and nothing that was sent has alarmed the pod. */
    @Override
    public void close() {
        try (SseReader open = reader) {
            assertNothingSaid();
            assertThat(open.connections()).isOne();
            assertThat(pod.log().substring(logBefore))
                    .doesNotContain("ERROR")
                    .doesNotContain("WARN");
        }
    }
}
