package dev.parley.guarantees;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http2Frames;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A stranger asks for the history of a room on many streams, and takes none of it: each of them
 * alone makes the pod hold what the kernel does not.
 */
class BacklogIT {

    private static final int MESSAGES = 50;

    /** As many as one stream may read. */
    private static final int ROOMS = 50;

    /** What the streams of an address may read: not as much as two such streams. */
    private static final int ROOMS_PER_ADDRESS = 2 * ROOMS - 1;

    private static final String STREAM = "/events?room=long&lastEventId=earliest";

    /** Longer than what the kernel buffers at both ends, all of them together. */
    private static final String LONG = "x".repeat(60_000);

    private static final int FEW_MESSAGES = 5;

    /** Leaves less in memory than makes a connection refuse more. */
    private static final String SHORT_STREAM = "/events?room=long&history=" + FEW_MESSAGES;

    private static final String CUT = "parley_disconnects_total{reason=\"slow-consumer\"}";

    /** A quarter of the bound, and a page that each event loop may be writing at that moment. */
    private static final double MOST = 256 * 1024 + 2 * 350 * 1024;

    @RegisterExtension
    static final AttackedPod pod =
            new AttackedPod(
                    ParleyProcess.builder()
                            .config("quarkus.vertx.event-loops-pool-size", "2")
                            .config("parley.limits.backlog-bytes", "1M")
                            // Longer than a test waits: after this, any stream would be reset.
                            .config("parley.limits.answer-timeout", "1H")
                            .config(
                                    "parley.limits.rooms-per-address",
                                    Integer.toString(ROOMS_PER_ADDRESS)));

    @BeforeAll
    static void publishHistory() {
        for (int i = 1; i <= MESSAGES; i++) {
            assertThat(pod.http().sendForm(i + LONG, "room", "long").status()).isEqualTo(200);
        }
    }

    @Test
    void historyThatIsNotTaken_isBoundedInSum_andDelaysNoOtherReader() {
        double before = pod.metrics().value(CUT);
        for (int i = 0; i < 40; i++) {
            pod.connect("GET " + STREAM + " HTTP/1.1\r\nHost: x\r\n\r\n");
        }
        pod.metrics().awaitValue("parley_connected_clients", 41);

        awaitHeld();
        try (SseReader reader = SseReader.open(pod.pod().uri(STREAM))) {
            assertThat(reader.awaitMessages(MESSAGES).messages()).hasSize(MESSAGES);
        }
        assertBoundedUntilSomeAreCut(before);
    }

    /** The client allows more than the kernel takes, and reads nothing. */
    @Test
    void historyThatIsNotTakenOnHttp2_isBoundedInSum() {
        double before = pod.metrics().value(CUT);
        for (int connection = 0; connection < 8; connection++) {
            Http2Frames frames = Http2Frames.connectionWithWindow(1 << 24).window(0, 1 << 24);
            for (int i = 0; i < 5; i++) {
                frames.get(2 * i + 1, STREAM);
            }
            pod.connect(frames);
        }

        awaitHeld();
        assertBoundedUntilSomeAreCut(before);
    }

    /**
     * Each stream takes longer for a page than the pod waits for a client that takes nothing. As
     * there are several, the address has reached its share for most of the time.
     */
    @Test
    void historyThatIsTakenSlowlyOnHttp2_isNotCut() {
        double before = pod.metrics().value(CUT);
        int grant = 8 * 1024;
        int seconds = 8;
        List<Integer> streams = List.of(1, 3);
        Http2Frames begin = Http2Frames.connectionWithWindow(grant).window(0, 1 << 24);
        streams.forEach(stream -> begin.get(stream, STREAM));
        RawConnection client = pod.connect(begin);

        try (SseReader clock = SseReader.open(pod.pod().uri("/clock"))) {
            var grants = new AtomicInteger();
            // Not so often that a page is taken between two looks of the pod.
            Timeouts.await("the pod has looked several times")
                    .pollInterval(Duration.ofMillis(100))
                    .until(
                            () -> {
                                Http2Frames more = Http2Frames.more();
                                streams.forEach(stream -> more.window(stream, grant));
                                more.frame(Http2Frames.PING, 0, 0, new byte[8]);
                                client.send(more.toBytes());
                                Http2Frames.await(
                                        client,
                                        frame -> frame.type() == Http2Frames.PING,
                                        grants.incrementAndGet());
                                return clock.messages().size() >= seconds;
                            });
        }

        assertThat(Http2Frames.received(client))
                .filteredOn(frame -> frame.type() == Http2Frames.RST_STREAM)
                .isEmpty();
        assertThat(pod.metrics().value(CUT)).isEqualTo(before);
    }

    /** Four addresses use all that there is. */
    @Test
    void historyThatIsNotTaken_andFillsNoConnection_givesWayToOtherReaders() {
        for (int address = 70; address < 74; address++) {
            for (int i = 0; i < 6; i++) {
                connect(RawConnection.address("127.0.0." + address), SHORT_STREAM);
            }
        }
        pod.awaitHeld("backlogs", 1 << 20);

        try (SseReader reader = SseReader.open(pod.pod().uri(SHORT_STREAM))) {
            assertThat(reader.awaitMessages(FEW_MESSAGES).messages()).hasSize(FEW_MESSAGES);
        }
    }

    /**
     * On such streams each message has an id of the stream's, so no other stream shares its bytes.
     */
    @Test
    void liveMessagesOfSeveralRooms_thatAreNotTaken_areBoundedInSum() {
        double before = pod.metrics().value(CUT);
        for (int i = 0; i < 40; i++) {
            connect(AttackedPod.STRANGER, "/events?room=a&room=b&format=json");
        }
        pod.metrics().awaitValue("parley_connected_clients", 41);

        for (int i = 0; i < 10; i++) {
            assertThat(pod.http().sendForm(LONG, "room", "a").status()).isEqualTo(200);
        }

        awaitHeld();
        assertBoundedUntilSomeAreCut(before);
    }

    /**
     * The client allows nothing. A stream that is refused is sent the position that was asked for,
     * which is as long as the names of its rooms.
     */
    @Test
    void positionsOfRefusedStreams_thatAreNotTaken_delayNoOtherReader() {
        String many = "/events?format=json&lastEventId=earliest" + rooms();
        pod.connect("GET " + many + " HTTP/1.1\r\nHost: x\r\n\r\n").await("event: position");

        for (int connection = 0; connection < 2; connection++) {
            Http2Frames frames = Http2Frames.connectionWithoutWindow();
            for (int i = 0; i < 100; i++) {
                frames.get(2 * i + 1, many);
            }
            Http2Frames.await(
                    pod.connect(frames), frame -> frame.type() == Http2Frames.RST_STREAM, 100);
        }

        assertThat(pod.held("backlogs")).isLessThanOrEqualTo(MOST);
        try (SseReader reader = SseReader.open(pod.pod().uri(STREAM))) {
            assertThat(reader.awaitMessages(MESSAGES).messages()).hasSize(MESSAGES);
        }
    }

    /** A proxy makes an error of an answer that breaks off before it begins. */
    @Test
    void streamThatIsRefused_whileItsAddressHasNoRoom_isAnsweredAndEnded() {
        String many = "/events?format=json&lastEventId=earliest" + rooms();
        String get = "GET " + many + " HTTP/1.1\r\nHost: x\r\n\r\n";
        pod.connect(get).await("event: position");
        for (int i = 0; i < ROOMS_PER_ADDRESS - ROOMS; i++) {
            pod.connect("GET " + STREAM + " HTTP/1.1\r\nHost: x\r\n\r\n");
        }

        // Those that take nothing are cut one by one, and others have room then.
        Timeouts.await("one is refused while there is no room")
                .until(
                        () -> {
                            RawConnection refused = pod.connect(get);
                            refused.readToEnd();
                            assertThat(refused.text())
                                    .startsWith("HTTP/1.1 200 ")
                                    .contains(": connected")
                                    .endsWith("\r\n0\r\n\r\n");
                            return !refused.text().contains("goodbye");
                        });
    }

    /** As many rooms as one stream may read, with long names. */
    private static String rooms() {
        return IntStream.range(0, ROOMS)
                .mapToObj(i -> "&room=" + "r".repeat(58) + (10 + i))
                .collect(joining());
    }

    private static void connect(InetAddress from, String path) {
        byte[] request =
                ("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII);
        pod.attack().add(RawConnection.open(pod.pod().port(), from, request));
    }

    private static void awaitHeld() {
        Timeouts.await("a batch is held").until(() -> pod.held("backlogs") > LONG.length());
    }

    /** Those that take nothing give way to the others, which hold as much then. */
    private static void assertBoundedUntilSomeAreCut(double before) {
        Timeouts.await("some are cut")
                .until(
                        () -> {
                            assertThat(pod.held("backlogs")).isLessThanOrEqualTo(MOST);
                            return pod.metrics().value(CUT) >= before + 4;
                        });
    }
}
