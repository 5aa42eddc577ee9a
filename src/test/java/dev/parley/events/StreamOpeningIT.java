package dev.parley.events;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.SharedPod;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import dev.parley.testsupport.TestRoom;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The beginning of a stream: head, first bytes, history, and heartbeats while nothing happens; or
 * the reason for which a request for one is refused.
 */
@ExtendWith(SharedPod.Extension.class)
class StreamOpeningIT {

    private final Http http;
    private final TestRoom room;
    private final int port;

    StreamOpeningIT(SharedPod pod) {
        port = pod.process().port();
        http = pod.http();
        room = pod.newRoom();
    }

    @Test
    void head_forbidsProxiesToBufferAndStore() {
        try (SseReader reader = room.subscribe()) {
            assertThat(reader.status()).isEqualTo(200);
            assertThat(reader.headers().get("Content-Type"))
                    .containsExactly("text/event-stream;charset=utf-8");
            assertThat(reader.headers().get("Cache-Control"))
                    .containsExactly("no-cache, no-transform");
            assertThat(reader.headers().get("X-Accel-Buffering")).containsExactly("no");
            assertThat(reader.headers().get("Transfer-Encoding")).containsExactly("chunked");
            assertThat(reader.headers()).doesNotContainKeys("Content-Length", "X-SSE-Content-Type");
        }
    }

    /** More than are opened in one turn of an event loop, so that some wait with their bodies. */
    @ParameterizedTest
    @ValueSource(strings = {"GET", "POST"})
    void streamsThatAreAskedForTogether_areAllOpened(String method) {
        String form = "room=" + room.name();
        String request =
                method.equals("GET")
                        ? "GET /events?" + form + " HTTP/1.1\r\nHost: x\r\n\r\n"
                        : "POST /events HTTP/1.1\r\nHost: x\r\n"
                                + "Content-Type: application/x-www-form-urlencoded\r\n"
                                + ("Content-Length: " + form.length() + "\r\n\r\n" + form);
        List<RawConnection> streams = new ArrayList<>();
        try {
            for (int i = 0; i < 400; i++) {
                streams.add(RawConnection.open(port, new byte[0]));
            }
            streams.forEach(stream -> stream.send(request.getBytes(US_ASCII)));
            streams.forEach(stream -> stream.await("event: position"));

            room.publish("to all of them");

            streams.forEach(stream -> stream.await("data: to all of them"));
        } finally {
            streams.forEach(RawConnection::close);
        }
    }

    @Test
    void headAndFirstEvents_leaveTogether_ifTheRoomIsOpen() {
        try (SseReader first = room.subscribe()) {
            first.awaitLastEventId();
            for (int i = 0; i < 20; i++) {
                byte[] request =
                        ("GET /events?room=" + room.name() + " HTTP/1.1\r\nHost: x\r\n\r\n")
                                .getBytes(US_ASCII);
                try (RawConnection second = RawConnection.open(port, request)) {
                    second.readUntil(text -> !text.isEmpty());

                    assertThat(second.text()).startsWith("HTTP/1.1 200 ").contains("\nid: ");
                }
            }
        }
    }

    @Test
    void stream_isNeverCompressed() {
        var browser = room.reader().header("Accept-Encoding", "gzip, deflate, br");

        try (SseReader reader = browser.open().awaitConnected().awaitLastEventId()) {
            assertThat(reader.headers()).doesNotContainKey("Content-Encoding");
        }
    }

    @Test
    void firstBytes_areCommentRetryAndPosition() {
        room.publish("before");

        try (SseReader reader = room.subscribe()) {
            assertThat(reader.raw())
                    .matches(
                            """
                            (?s): connected
                            retry: \\d{4}
                            event: position
                            data: \\{"room":"room-\\d+","id":"([0-9a-z]+-1)"}
                            id: \\1

                            .*""");
            assertThat(reader.retry().getAsLong()).isBetween(2000L, 4000L);
            assertThat(reader.positions()).hasSize(1);
            assertThat(reader.events()).isEmpty();
        }
    }

    @Test
    void retry_differsBetweenReaders() {
        List<SseReader> readers = IntStream.range(0, 20).mapToObj(i -> room.subscribe()).toList();

        assertThat(readers.stream().map(reader -> reader.retry().getAsLong()).distinct())
                .hasSizeGreaterThan(1);
        readers.forEach(SseReader::close);
    }

    @Test
    void idleStream_getsHeartbeatComments() {
        try (SseReader reader = room.subscribe()) {
            String position = reader.lastEventId();

            reader.await("heartbeats", r -> r.comments().size() > 3);

            assertThat(reader.events()).isEmpty();
            assertThat(reader.lastEventId()).isEqualTo(position);
            String id = room.publish("hi");
            reader.awaitMessages(1);
            assertThat(reader.events()).containsExactly(new Event(id, "message", "hi"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"lastEventId=earliest", "last_event_id=earliest"})
    void earliest_beginsWithTheFirstRetainedMessage_withoutAGap(String query) {
        room.publishNumbers(1, 3);

        try (SseReader reader = room.subscribe(query)) {
            assertThat(reader.awaitMessages(3).data()).containsExactly("1", "2", "3");
            assertThat(reader.events()).hasSize(3);
            assertThat(reader.positions().get(0).id()).endsWith("-0");
        }
    }

    @Test
    void heartbeatAsEvent_saysThePauseAndLeavesThePosition() {
        String id = room.publish("before");

        try (SseReader reader = room.subscribe("heartbeat=event")) {
            reader.await("heartbeats", r -> r.events("heartbeat").size() > 2);

            assertThat(reader.events("heartbeat"))
                    .containsOnly(new Event(id, "heartbeat", "{\"seconds\":0.2}"));
            assertThat(reader.comments()).containsExactly("connected");
            assertThat(reader.raw()).contains("\n\nevent: heartbeat\ndata: {\"seconds\":0.2}\n\n");
        }
    }

    @Test
    void pauseInSeconds_isTheStreamsOwn() {
        try (SseReader slow = room.subscribe("heartbeat=60");
                SseReader asked = room.subscribe("heartbeat=event&heartbeat=2");
                SseReader other = room.subscribe()) {
            assertThat(asked.awaitEvent("heartbeat").data()).isEqualTo("{\"seconds\":2}");
            other.await("more heartbeats", r -> r.comments().size() > 10);

            assertThat(slow.comments()).containsExactly("connected");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "room=a/b",
                "room=-a",
                "room=%0d%0aSet-Cookie:x",
                "room=%ff",
                "room=%00",
                "format=xml",
                "format=JSON",
                "history=-1",
                "history=1.5",
                "history=x",
                "history=1000001",
                "history=99999999999999999999",
                "history=%D9%A3",
                "heartbeat=1",
                "heartbeat=61",
                "heartbeat=2.5",
                "heartbeat=Event",
                "heartbeat=event:5",
                "heartbeat=event&heartbeat=0",
                "heartbeat=5&heartbeat=6",
                "heartbeat=event&heartbeat=event"
            })
    void badParameter_isRefused(String parameter) {
        String path = "/events?" + parameter;
        String name = parameter.substring(0, parameter.indexOf('='));

        Answer answer = http.get(path);
        Answer problem = http.with("Accept", "text/event-stream, application/json").get(path);

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.header("Content-Type")).isEqualTo("text/plain;charset=utf-8");
        assertThat(answer.body()).startsWith("bad " + name + ": ").hasLineCount(1);
        assertThat(problem.status()).isEqualTo(400);
        assertThat(problem.header("Content-Type")).isEqualTo("application/problem+json");
        assertThat(problem.body()).contains("\"code\":\"bad-" + name + "\"");
    }

    /** As in version 0.1: an EventSource would not come back after a 400. */
    @Test
    void emptyParameters_countAsAbsent() {
        String empty = "/events?room=&format=&history=&heartbeat=&lastEventId=";

        assertThat(http.call("HEAD", empty).status()).isEqualTo(200);
    }

    @Test
    void brokenPercentEscape_isRefused() {
        assertThat(http.raw("GET /events?room=%zz HTTP/1.1\r\nHost: x\r\n\r\n"))
                .startsWith("HTTP/1.1 400 ");
    }

    @Test
    void malformedAccept_isRefused() {
        assertThat(http.with("Accept", "nonsense").get("/events").status()).isEqualTo(400);
    }
}
