package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.Timeouts;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that a client sends before the previous one is answered (RFC 9112 §9.3.2). */
class PipelinedRequestsIT {

    private static final Pattern EVENT_ID = Pattern.compile("Event-Id: [0-9a-z]+-([0-9]+)\r\n");

    /** Bytes of the buffers into which connections are read, and which are not released. */
    private static final String USED_BUFFERS =
            "netty_allocator_memory_pinned{allocator_type=\"PooledByteBufAllocator\","
                    + "memory_type=\"direct\",name=\"pooled\"}";

    @AutoClose private static RedisServer redis;
    @AutoClose private static ParleyProcess pod;

    /** A pod that uses the JDK's transport, which reports a closed connection only to a read. */
    @AutoClose private static ParleyProcess jdkTransportPod;

    private static Http http;

    @BeforeAll
    static void start() {
        redis = RedisServer.start();
        pod = pod().fixedPort().start().awaitReady();
        jdkTransportPod = pod().fixedPort().jdkTransport().start().awaitReady();
        http = new Http(pod.uri());
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 200})
    void pipelinedRequests_areServedAndAnsweredInOrder(int count) {
        String room = "order" + count;
        StringBuilder requests = new StringBuilder();
        for (int i = 1; i <= count; i++) {
            requests.append(publish(room, "text " + i));
        }
        try (RawConnection stream = RawConnection.open(pod.port(), ascii(requests.toString()))) {
            stream.await("-" + count + "\r\n");

            assertThat(EVENT_ID.matcher(stream.text()).results().map(PipelinedRequestsIT::offset))
                    .containsExactlyElementsOf(
                            IntStream.rangeClosed(1, count).mapToObj(Integer::toString).toList());
        }
        assertThat(http.get("/rooms/" + room + "/messages?limit=1").body())
                .contains("text " + count);
    }

    @Test
    void pipelinedLongBodies_areAllPublished() {
        String text = "a".repeat(60_000);
        String requests = publish("long", text).repeat(20);
        try (RawConnection stream = RawConnection.open(pod.port(), ascii(requests))) {
            stream.await("-20\r\n");

            assertThat(stream.text()).doesNotContain("HTTP/1.1 4");
        }
    }

    @Test
    void requestAfterInterimAnswer_waitsForTheFinalAnswer() {
        String expecting =
                publish("interim", "a").replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
        try (RawConnection stream =
                RawConnection.open(pod.port(), ascii(expecting + publish("interim", "b")))) {
            stream.await("-2\r\n");

            assertThat(stream.text()).startsWith("HTTP/1.1 100 ");
        }
    }

    @Test
    void requestsBehindAStream_areNotServed() {
        String requests = "GET /events?room=behind HTTP/1.1\r\nHost: x\r\n\r\n";
        try (RawConnection stream =
                RawConnection.open(
                        pod.port(), ascii(requests + publish("behind", "behind the stream")))) {
            stream.await("-0\n\n");
            http.sendForm("after the stream", "room", "behind");

            stream.await("data: after the stream\nid: ");
            assertThat(stream.text()).doesNotContain("behind the stream");
        }
        new Metrics(pod).awaitValue("parley_connected_clients", 0);
    }

    /** Its client takes a request without an answer for one that was not carried out. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
                "OPTIONS * HTTP/1.1\r\n\r\n",
                "GET * HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET //x HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET /clock.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            })
    void requestsBehindTheLastAnswer_areNotServed(String last) {
        try (RawConnection stream =
                RawConnection.open(
                        pod.port(), ascii(last.repeat(3) + publish("last", "behind the last")))) {
            stream.readToEnd();

            assertThat(stream.text()).containsIgnoringCase("\r\nconnection: close\r\n");
            assertThat(stream.text().split("HTTP/1.1 ", -1)).hasSize(2);
        }
        assertThat(http.get("/rooms/last/messages").body()).contains("\"messages\":[]");
    }

    /**
     * The server itself drops the request behind, as its answers on HTTP/1.0 end the connection,
     * and does not release what it drops.
     */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /events?room=! HTTP/1.0\r\n\r\n",
                "HEAD /clock.html HTTP/1.0\r\n\r\n",
                "POST /send?room=! HTTP/1.0\r\nContent-Length: 1\r\n\r\nx",
                "GET /events?room=! HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
            })
    void bodyBehindTheLastAnswer_isReleased(String last) {
        String body = "a".repeat(400_000);
        byte[] requests = ascii(last + "POST /x HTTP/1.0\r\nContent-Length: 400000\r\n\r\n" + body);
        for (ParleyProcess each : List.of(pod, jdkTransportPod)) {
            for (int i = 0; i < 30; i++) {
                try (var stream = RawConnection.open(each.port(), requests)) {
                    stream.readToEnd();

                    // The reset for what is not read may overtake the answer.
                    assertThat(stream.text().split("HTTP/1.[01] ", -1)).hasSizeLessThan(3);
                }
            }

            var metrics = new Metrics(each);
            Timeouts.await("buffers are released")
                    .until(() -> metrics.value(USED_BUFFERS) < body.length());
        }
    }

    @Test
    void requestBehindTheLastOfSeveralAnswers_isNotServed() {
        String last = "GET * HTTP/1.1\r\nHost: x\r\n\r\n";
        String requests = publish("several", "one") + publish("several", "two") + last;
        try (RawConnection stream =
                RawConnection.open(pod.port(), ascii(requests + publish("several", "three")))) {
            stream.readToEnd();

            assertThat(stream.text().split("HTTP/1.1 ", -1)).hasSize(4);
        }
        assertThat(http.get("/rooms/several/messages").body())
                .contains("one", "two")
                .doesNotContain("three");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "POST /send?msg=whole HTTP/1.1\r\nHost: x\r\n\r\n",
                "POST /send HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhalf",
                "broken\r\n\r\n"
            })
    void connectionThatClosesWhileRequestsWait_leavesNoConnectionAndNoLog(String waiting) {
        for (ParleyProcess each : List.of(pod, jdkTransportPod)) {
            double before = new Metrics(each).connections();
            redis.pause();
            try {
                connectAndClose(each, waiting);
                awaitConnections(each, before);
            } finally {
                redis.resume();
            }
            assertIsWell(each);
        }
    }

    @Test
    void connectionThatClosesWithMoreThanIsHeld_isGoneAfterTheAnswer() {
        String waiting = publish("left", "a".repeat(10_000)).repeat(20);
        for (ParleyProcess each : List.of(pod, jdkTransportPod)) {
            double before = new Metrics(each).connections();
            redis.pause();
            try {
                connectAndClose(each, waiting);
            } finally {
                redis.resume();
            }

            awaitConnections(each, before);
            assertIsWell(each);
        }
    }

    @Test
    void headBehindARequestThatHasWaited_counts() {
        String clock = "GET /clock HTTP/1.1\r\nHost: x\r\n\r\n";
        try (RawConnection stream =
                openWhileRedisHangs(clock + "GET / HTTP/1.1\r\n" + "a:\r\n".repeat(500))) {
            stream.await("text/event-stream");

            awaitHeld("heads", 60_000);
        }
        new Metrics(pod).awaitValue(held("heads"), 0);
    }

    @Test
    void bodyOfARequestThatHasWaited_counts() {
        String whole = publish("held", "a".repeat(60_000));
        try (RawConnection stream = openWhileRedisHangs(whole.substring(0, 14_000))) {
            stream.await("HTTP/1.1 200");

            awaitHeld("bodies", 13_000);
        }
        new Metrics(pod).awaitValue(held("bodies"), 0);
    }

    /** Opens a connection whose first publish is answered after all the rest has arrived. */
    private static RawConnection openWhileRedisHangs(String waiting) {
        redis.pause();
        try {
            RawConnection opened =
                    RawConnection.open(pod.port(), ascii(publish("held", "first") + waiting));
            awaitHeld("heads", 13_000);
            return opened;
        } finally {
            redis.resume();
        }
    }

    private static void awaitHeld(String kind, double bytes) {
        var metrics = new Metrics(pod);
        Timeouts.await(bytes + " bytes of " + kind).until(() -> metrics.value(held(kind)) >= bytes);
    }

    private static String held(String kind) {
        return "parley_held_bytes{kind=\"" + kind + "\"}";
    }

    /** Opens connections whose first publish waits for Redis, and closes them. */
    private static void connectAndClose(ParleyProcess pod, String waiting) {
        double before = new Metrics(pod).connections();
        List<RawConnection> clients = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            clients.add(RawConnection.open(pod.port(), ascii(publish("left", "first") + waiting)));
        }
        Timeouts.await("all are connected")
                .until(() -> new Metrics(pod).connections() >= before + clients.size());
        clients.forEach(RawConnection::close);
    }

    private static void awaitConnections(ParleyProcess pod, double most) {
        Timeouts.await("all are gone").until(() -> new Metrics(pod).connections() <= most);
    }

    private static void assertIsWell(ParleyProcess pod) {
        Timeouts.await("Redis is back")
                .until(() -> new Http(pod.uri()).sendForm("again", "room", "left").status() == 200);
        assertThat(pod.log()).doesNotContain("io.netty", "Exception", "ERROR");
    }

    private static ParleyProcess.Builder pod() {
        return ParleyProcess.builder()
                .redis(redis.uri())
                // Longer than a test waits: after these, the pod would notice in any case.
                .config("quarkus.http.idle-timeout", "1H")
                .config("parley.redis.timeout", "1H")
                .config("parley.redis.probe-timeout", "1H");
    }

    private static String publish(String room, String text) {
        return "POST /send?room=%s HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s"
                .formatted(room, text.length(), text);
    }

    private static String offset(MatchResult eventId) {
        return eventId.group(1);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
