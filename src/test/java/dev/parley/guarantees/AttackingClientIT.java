package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http2Frames;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.Timeouts;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A client makes a pod hold as much as it can. The pod refuses what is above its bounds, serves a
 * publisher and a reader at another address meanwhile, and frees its memory afterwards. The bounds
 * are small here, so that few requests reach them.
 */
class AttackingClientIT {

    @RegisterExtension
    static final AttackedPod pod =
            new AttackedPod(
                    ParleyProcess.builder()
                            .config("parley.limits.sockets-per-address", "60")
                            .config("parley.limits.head-timeout", "4S")
                            .config("parley.limits.head-bytes", "1M")
                            .config("parley.limits.body-bytes", "4M")
                            .config("parley.limits.answer-bytes", "8M")
                            .config("parley.limits.answer-timeout", "4S")
                            .config("parley.publish.request-timeout", "4S")
                            .config("parley.memory.max-bytes", "16M")
                            .config("parley.history.bytes", "1M")
                            .config("parley.events.heartbeat", "500MS"));

    @Test
    void requestLinesWithoutEnd_areCutAboveTheirBytes_andAfterTheirTime() {
        double before = pod.met("head-bytes");
        double lateBefore = pod.met("head-timeout");

        attack(50, i -> "GET /" + "a".repeat(8_000));

        // A quarter of 1 MB: room for 32 of them.
        pod.awaitMet("head-bytes", before + 15);
        pod.assertServed();
        pod.attack().forEach(RawConnection::readToEnd);
        assertThat(pod.met("head-timeout")).isGreaterThan(lateBefore);
        pod.assertServed();
    }

    @Test
    void headThatArrivesByteByByte_isCut() {
        double before = pod.met("head-timeout");

        attack(5, i -> "GET / HTTP/1.1\r\n");

        // One byte at a time, so that the head stays far below the bytes that it may have.
        Timeouts.await("the deadline")
                .until(
                        () -> {
                            pod.attack().forEach(connection -> connection.send(new byte[] {'X'}));
                            return pod.met("head-timeout") >= before + 5;
                        });
        pod.attack().forEach(RawConnection::readToEnd);
        pod.assertServed();
    }

    @Test
    void connectionsOfOneAddress_areBounded() {
        double before = pod.met("sockets");

        attack(80, i -> "");

        pod.awaitMet("sockets", before + 20);
        pod.assertServed();
        pod.attack().forEach(RawConnection::close);
        Timeouts.await("end of the attacker's connections")
                .untilAsserted(
                        () -> assertThat(pod.metrics().value("parley_sockets")).isLessThan(10));
    }

    @Test
    void bodiesThatStop_areRefusedAboveTheirBytes_andAfterTheirTime() {
        double before = pod.met("body-bytes");

        attack(20, i -> post(400_000) + "a".repeat(200_000));

        pod.awaitMet("body-bytes", before + 10);
        pod.assertServed();
        pod.attack().forEach(RawConnection::readToEnd);
        List<Integer> statuses =
                pod.attack().stream().map(connection -> connection.answer().status()).toList();
        assertThat(statuses).contains(408, 503).containsOnly(408, 503);
        assertThat(pod.attack().stream().filter(each -> each.answer().status() == 503))
                .allSatisfy(each -> assertThat(each.answer().header("Retry-After")).isEqualTo("2"));
        pod.assertServed();
    }

    /** How a client makes a connection one of HTTP/2. */
    enum Http2 {
        PRIOR_KNOWLEDGE,
        UPGRADE;

        /** Asks for 20 pages on a connection whose window is 0. */
        RawConnection connect() {
            if (this == PRIOR_KNOWLEDGE) {
                byte[] requests = http2Requests(Http2Frames.connectionWithoutWindow(), 1);
                return pod.connect(requests);
            }
            // The header has the same setting, in Base64 (RFC 7540 §3.2.1).
            String upgrade =
                    String.join(
                            "\r\n",
                            "GET /rooms/big/messages HTTP/1.1",
                            "Host: x",
                            "Connection: Upgrade, HTTP2-Settings",
                            "Upgrade: h2c",
                            "HTTP2-Settings: AAQAAAAA",
                            "",
                            "");
            RawConnection connection = pod.connect(upgrade);
            connection.await("101 Switching Protocols");
            connection.send(http2Requests(Http2Frames.connectionWithoutWindow(), 3));
            return connection;
        }
    }

    @ParameterizedTest
    @EnumSource
    void http2AnswersThatAreNotTaken_areBounded_andCutAfterTheirTime(Http2 http2) {
        for (int i = 0; i < 12; i++) {
            assertThat(pod.http().sendForm("b".repeat(60_000), "room", "big").status())
                    .isEqualTo(200);
        }
        double before = pod.met("answer-bytes");
        double lateBefore = pod.met("answer-timeout");

        for (int i = 0; i < 2; i++) {
            http2.connect();
        }

        pod.awaitMet("answer-bytes", before + 30);
        assertThat(pod.held("answers")).isBetween(1.0, 2e6 + 2e5);
        pod.assertServed();
        assertThat(pod.http().get("/rooms/big/messages?limit=500").status()).isEqualTo(200);
        pod.awaitMet("answer-timeout", lateBefore + 1);
        // The client pings, so that it is not the time of an idle connection that ends them.
        Timeouts.await("the answers are given up")
                .until(
                        () -> {
                            pod.attack().forEach(connection -> connection.send(ping()));
                            return pod.held("answers") == 0;
                        });
    }

    private static byte[] ping() {
        return Http2Frames.more().frame(Http2Frames.PING, 0, 0, new byte[8]).toBytes();
    }

    @Test
    void pipelinedAnswersThatAreNotTaken_areBounded() {
        for (int i = 0; i < 12; i++) {
            assertThat(pod.http().sendForm("b".repeat(60_000), "room", "big").status())
                    .isEqualTo(200);
        }
        String get = "GET /rooms/big/messages?limit=500 HTTP/1.1\r\nHost: x\r\n\r\n";
        double before = pod.met("answer-bytes");

        attack(10, i -> get.repeat(8));

        pod.awaitMet("answer-bytes", before + 1);
        pod.awaitHeld("answers", 1);
        pod.assertServed();
        assertThat(pod.held("answers")).isBetween(1.0, 2.2e6);
        pod.attack().forEach(RawConnection::reset);
        pod.metrics().awaitValue("parley_held_bytes{kind=\"answers\"}", 0);
    }

    @Test
    void requestsThatWaitForAnEarlierOne_areBounded() {
        double before = pod.met("head-bytes");
        String get = "GET /clock HTTP/1.1\r\nHost: x\r\n\r\n";

        // The first one is a stream that does not end.
        attack(40, i -> get.repeat(1_500));

        // One read of a connection takes 40 KB and more, and there are 256 KB for all.
        pod.awaitMet("head-bytes", before + 20);
        pod.assertServed();
    }

    /** A header takes a hundred bytes in memory beside its own. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "POST /send HTTP/1.1\r\nContent-Length: 10",
                "GET /events HTTP/1.1\r\nConnection: close",
                "GET /clock HTTP/1.1"
            })
    void requestsWithManyHeaders_areBoundedWhileTheyLast(String request) {
        double before = pod.met("head-bytes");
        String headers =
                IntStream.range(0, 290)
                        .mapToObj(i -> "a" + i + ":" + "b".repeat(40) + "\r\n")
                        .collect(Collectors.joining());

        attack(30, i -> request + "\r\nHost: x\r\n" + headers + "\r\n");

        // A quarter of 1 MB: room for five of them.
        pod.awaitMet("head-bytes", before + 25);
        assertThat(pod.held("heads")).isLessThanOrEqualTo(1 << 18);
        pod.assertServed();
    }

    /**
     * A header of two bytes takes more than a hundred in memory, before its head is complete too.
     */
    @ParameterizedTest
    @ValueSource(
            strings = {
                // An incomplete head.
                "GET / HTTP/1.1\r\n",
                // Trailers, of a body that a call reads and of one that is dropped.
                "POST /send HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
                "GET /clock HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n",
                // A head behind a request that is not answered.
                "GET /clock HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n",
                // A head behind one that is.
                "GET /rooms/a/messages HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n"
            })
    void linesOfHeadersWithoutEnd_areBounded(String begin) {
        double before = pod.met("head-bytes");

        attack(30, i -> begin + "a:\r\n".repeat(500));

        // A quarter of 1 MB: room for four of them.
        pod.awaitMet("head-bytes", before + 25);
        assertThat(pod.held("heads")).isLessThanOrEqualTo(1 << 18);
        pod.assertServed();
    }

    @Test
    void linesBeforeAChunkWithoutEnd_areBounded() {
        double before = pod.met("head-bytes");

        attack(50, i -> chunked("POST /send") + "1;" + "a".repeat(8_000));

        // A quarter of 1 MB: room for 32 of them.
        pod.awaitMet("head-bytes", before + 15);
        pod.assertServed();
    }

    /** The part of a head behind an answered request has no other deadline but that of silence. */
    @ParameterizedTest
    // The second one is answered in the read that brings both.
    @ValueSource(strings = {"GET /rooms/a/messages", "HEAD /clock"})
    void headThatStopsBehindAnotherRequest_isCutAfterItsTime(String answered) {
        double before = pod.met("head-timeout");

        RawConnection connection =
                pod.connect(answered + " HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHo");

        connection.readToEnd();
        assertThat(connection.text()).containsOnlyOnce("HTTP/1.1 ");
        assertThat(pod.met("head-timeout")).isEqualTo(before + 1);
    }

    /** What a client sends, in three parts, before it is quiet and after that. */
    record Quiet(String begin, String more, String rest) {

        static Stream<Quiet> values() {
            String head = "HEAD /clock HTTP/1.1\r\nHost: x\r\n";
            return Stream.of(
                    // A head that comes in two parts, and is answered at once.
                    new Quiet(head, "\r\n", ""),
                    // A body behind an answer that did not wait for it.
                    new Quiet(
                            "GET /rooms/a/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
                            "body",
                            "s end"),
                    // A line end between two requests.
                    new Quiet(head + "\r\n", "\r\n", ""));
        }
    }

    /** What has come is complete, and nothing of a further request has. */
    @ParameterizedTest
    @MethodSource("dev.parley.guarantees.AttackingClientIT$Quiet#values")
    void quietConnection_isNotTakenForAHeadThatStops(Quiet client) {
        double before = pod.met("head-timeout");
        RawConnection quiet = pod.connect(client.begin());
        if (client.begin().endsWith("\r\n\r\n")) {
            quiet.await("HTTP/1.1 ");
        } else {
            Timeouts.await("the first part").until(() -> pod.held("heads") > 0);
        }
        send(quiet, client.more());
        quiet.await("HTTP/1.1 ");

        pod.connect("GET / HTTP/1.1\r\n").readToEnd();
        send(
                quiet,
                client.rest() + "GET /rooms/after/messages?limit=1 HTTP/1.1\r\nHost: x\r\n\r\n");

        quiet.await("\"room\":\"after\"");
        assertThat(pod.met("head-timeout")).isEqualTo(before + 1);
    }

    private static void send(RawConnection connection, String text) {
        connection.send(text.getBytes(StandardCharsets.US_ASCII));
    }

    /** What it sends is dropped, and so needs no deadline. */
    @Test
    void streamWhoseClientSendsSomething_goesOn() {
        double before = pod.met("head-timeout");
        RawConnection stream = pod.connect("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
        stream.await("\nid: ");

        stream.send(new byte[] {'G'});

        // Heartbeats of 500 ms: longer than the deadline of four seconds.
        assertThat(stream.readUntil(text -> text.split("\n:\n", -1).length > 16)).isTrue();
        assertThat(pod.met("head-timeout")).isEqualTo(before);
    }

    /** A chunk of one byte takes a hundred in memory. */
    @Test
    void bodyInSmallPieces_isBoundedByTheirNumber() {
        double before = pod.met("body-bytes");
        double rejected = pod.rejected();

        RawConnection connection = pod.connect(chunked("POST /send"));
        // A quarter of 4 MB: room for ten thousand pieces.
        for (int i = 0; i < 15; i++) {
            connection.send(pieces(1_000));
        }

        pod.awaitMet("body-bytes", before + 1);
        connection.readToEnd();
        assertThat(connection.answer().status()).isEqualTo(503);
        assertThat(pod.rejected()).isEqualTo(rejected + 1);
        pod.assertServed();
    }

    /**
     * The clock goes on ticking, so its request would keep its body for as long. A pod whose heap
     * is full reads no more, and the client's writes would then wait for ever.
     */
    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void bodyThatNoCallReads_isDiscarded() {
        try (ParleyProcess small = ParleyProcess.builder().jvmOptions("-Xmx80m").start();
                RawConnection connection =
                        RawConnection.open(
                                small.port(),
                                chunked("GET /clock").getBytes(StandardCharsets.US_ASCII))) {
            connection.await("200 OK");

            // Two million pieces, of a hundred bytes each in memory.
            for (int i = 0; i < 400; i++) {
                connection.send(pieces(5_000));
            }
            connection.await("data:");

            assertThat(new Http(small.uri()).sendForm("still here").status()).isEqualTo(200);
            assertThat(small.log()).doesNotContain("OutOfMemoryError");
        }
    }

    private static String chunked(String call) {
        return call + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    }

    private static byte[] pieces(int count) {
        return "1\r\na\r\n".repeat(count).getBytes(StandardCharsets.US_ASCII);
    }

    @Test
    void roomThatIsReadOnceAndFilled_leavesTheMessagesOfTheLobby() {
        pod.assertServed();
        String kept = pod.http().get("/rooms/lobby/messages?limit=500").body();
        assertThat(pod.http().get("/rooms/evil/messages").status()).isEqualTo(200);

        for (int i = 0; i < 200; i++) {
            assertThat(pod.http().sendForm("e".repeat(60_000), "room", "evil").status())
                    .isEqualTo(200);
        }

        assertThat(pod.http().get("/rooms/lobby/messages?limit=500").body()).isEqualTo(kept);
        pod.assertServed();
    }

    /**
     * The pod's heap is 192 MB, and the texts together 210 MB. The history of the room drops them
     * long before the ceiling of all rooms does, which would drop the receipts too.
     */
    @Test
    void keysOfMessagesThatAreForgotten_keepNoTexts() {
        String text = "k".repeat(60_000);

        for (int i = 0; i < 3_500; i++) {
            Http keyed = pod.http().with("Idempotency-Key", "key-" + i);
            assertThat(keyed.sendForm(text, "room", "keys").status()).isEqualTo(200);
        }

        Http last =
                pod.http().with("Idempotency-Key", "key-3499").with("Accept", "application/json");
        assertThat(last.sendForm(text, "room", "keys").body()).contains("\"duplicate\":true");
        assertThat(last.sendForm("other", "room", "keys").status()).isEqualTo(422);
        pod.assertServed();
    }

    @Test
    void roomsWithMadeUpNames_areNotKept() {
        for (int i = 0; i < 1_200; i++) {
            String get = "GET /events?room=made-up-%d HTTP/1.1\r\nHost: x\r\n\r\n".formatted(i);
            RawConnection stream = pod.connect(get);
            stream.await("retry:");
            stream.close();
        }

        Timeouts.await("rooms to be dropped")
                .untilAsserted(
                        () ->
                                assertThat(pod.metrics().value("parley_rooms"))
                                        .isLessThanOrEqualTo(1_001));
        pod.assertServed();
    }

    @ParameterizedTest
    @CsvSource({"/events, :, 16", "/clock, data:, 7"})
    void http2Stream_lastsLongerThanAnAnswerMay(String path, String line, int count)
            throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest request = HttpRequest.newBuilder(pod.pod().uri(path)).build();

        HttpResponse<Stream<String>> response = client.send(request, BodyHandlers.ofLines());

        try (Stream<String> lines = response.body()) {
            assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
            // Heartbeats of 500 ms and ticks of one second: longer than the deadline of four.
            assertThat(lines.filter(each -> each.startsWith(line)).limit(count)).hasSize(count);
        }
    }

    private static void attack(int connections, IntFunction<String> request) {
        for (int i = 0; i < connections; i++) {
            pod.connect(request.apply(i));
        }
    }

    private static String post(int length) {
        return """
               POST /send HTTP/1.1\r
               Host: x\r
               Content-Type: text/plain\r
               Content-Length: %d\r
               \r
               """
                .formatted(length);
    }

    private static byte[] http2Requests(Http2Frames frames, int firstStream) {
        for (int i = 0; i < 20; i++) {
            frames.get(firstStream + 2 * i, "/rooms/big/messages?limit=500");
        }
        return frames.toBytes();
    }
}
