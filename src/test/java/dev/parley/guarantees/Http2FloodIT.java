package dev.parley.guarantees;

import static dev.parley.testsupport.Http2Frames.CONTINUATION;
import static dev.parley.testsupport.Http2Frames.DATA;
import static dev.parley.testsupport.Http2Frames.END_HEADERS;
import static dev.parley.testsupport.Http2Frames.END_STREAM;
import static dev.parley.testsupport.Http2Frames.GOAWAY;
import static dev.parley.testsupport.Http2Frames.HEADERS;
import static dev.parley.testsupport.Http2Frames.PING;
import static dev.parley.testsupport.Http2Frames.PRIORITY;
import static dev.parley.testsupport.Http2Frames.RST_STREAM;
import static dev.parley.testsupport.Http2Frames.SETTINGS;
import static dev.parley.testsupport.Http2Frames.WINDOW_UPDATE;
import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http2Frames;
import dev.parley.testsupport.Http2Frames.Frame;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.Timeouts;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A stranger floods a pod with frames of HTTP/2: its connection is closed, or its streams are
 * reset, and a publisher and a reader at another address are served meanwhile. The bounds in
 * numbers are those by default; those in time and in bytes are small here.
 */
class Http2FloodIT {

    private static final String PATH = "/rooms/flood/messages";

    @RegisterExtension
    static final AttackedPod pod =
            new AttackedPod(
                    ParleyProcess.builder()
                            .config("quarkus.thread-pool.max-threads", "4")
                            .config("parley.limits.head-timeout", "2S")
                            .config("parley.limits.head-bytes", "400K")
                            .config("parley.limits.rooms-per-address", "100")
                            .config("parley.limits.answer-timeout", "2S")
                            .config("parley.events.slow-timeout", "2S")
                            .config("parley.events.heartbeat", "500MS"));

    @Test
    void requestsThatAreResetAtOnce_endTheConnection() {
        RawConnection connection = pod.connect(Http2Frames.connection());

        for (int i = 0; i < 400; i++) {
            connection.send(
                    Http2Frames.more()
                            .get(2 * i + 1, PATH)
                            .frame(RST_STREAM, 0, 2 * i + 1, 0, 0, 0, 8)
                            .toBytes());
        }

        connection.readToEnd();
        assertCalmed(connection);
        pod.assertServed();
    }

    private static void assertCalmed(RawConnection connection) {
        assertThat(Http2Frames.received(connection))
                .anyMatch(
                        frame ->
                                frame.type() == GOAWAY && frame.error() == Frame.ENHANCE_YOUR_CALM);
    }

    /** A window update of 0 is an error of the stream, which the server resets (RFC 9113 §6.9). */
    @Test
    void requestsThatTheServerIsMadeToReset_endTheConnection() {
        Http2Frames frames = Http2Frames.connection();
        for (int i = 0; i < 400; i++) {
            frames.get(2 * i + 1, PATH).frame(WINDOW_UPDATE, 0, 2 * i + 1, 0, 0, 0, 0);
        }

        RawConnection connection = pod.connect(frames);

        connection.readToEnd();
        assertCalmed(connection);
        assertThat(
                        Http2Frames.received(connection).stream()
                                .filter(frame -> frame.type() == RST_STREAM))
                .hasSizeLessThan(400);
    }

    /**
     * Each connection has fewer than one may; a client opens another one as fast as it is closed.
     */
    @Test
    void resetsOfManyConnections_endThoseOfTheAddress() {
        double before = pod.met("resets");
        InetAddress address = RawConnection.address("127.0.0.67");
        int connections = 0;
        boolean calmed = false;

        while (!calmed && connections < 100) {
            Http2Frames frames = Http2Frames.connection();
            for (int i = 0; i < 150; i++) {
                frames.get(2 * i + 1, PATH).frame(RST_STREAM, 0, 2 * i + 1, 0, 0, 0, 8);
            }
            frames.frame(PING, 0, 0, new byte[8]);
            try (var connection = RawConnection.open(pod.pod().port(), address, frames.toBytes())) {
                connection.readUntil(text -> received(connection, PING) > 0);
                calmed = received(connection, GOAWAY) > 0;
            }
            connections++;
        }

        assertThat(connections).isBetween(2_000 / 150, 99);
        assertThat(pod.met("resets")).isGreaterThanOrEqualTo(before + 1);
        // A request that is not reset is served.
        try (var connection =
                RawConnection.open(
                        pod.pod().port(),
                        address,
                        Http2Frames.connection().get(1, PATH).toBytes())) {
            Http2Frames.await(connection, frame -> frame.type() == HEADERS, 1);
        }
    }

    private static long received(RawConnection connection, int type) {
        return Http2Frames.received(connection).stream()
                .filter(frame -> frame.type() == type)
                .count();
    }

    @ParameterizedTest
    @CsvSource({PING + ", 8", SETTINGS + ", 0", PRIORITY + ", 5", "77, 3"})
    void framesThatCarryNothing_endTheConnectionAboveANumber(int type, int length) {
        double before = pod.met("control-frames");
        RawConnection connection = pod.connect(Http2Frames.connection().get(1, PATH));
        Http2Frames.await(connection, frame -> frame.type() == HEADERS, 1);
        Http2Frames frames = Http2Frames.more();
        int stream = type == PRIORITY ? 3 : 0;
        for (int i = 0; i < 1_100; i++) {
            frames.frame(type, 0, stream, new byte[length]);
        }

        connection.send(frames.toBytes());

        connection.readToEnd();
        pod.awaitMet("control-frames", before + 1);
        assertCalmed(connection);
    }

    /** Netty counts none of these, and reads each. */
    @ParameterizedTest
    @CsvSource({WINDOW_UPDATE + ", 0", WINDOW_UPDATE + ", 1", RST_STREAM + ", 1"})
    void framesOfNoOpenStream_endTheConnectionAboveANumber(int type, int stream) {
        double before = pod.met("control-frames");
        RawConnection connection =
                pod.connect(Http2Frames.connection().get(1, PATH).get(3, "/events"));
        Http2Frames.await(
                connection, frame -> frame.stream() == 1 && frame.flags() == END_STREAM, 1);
        Http2Frames frames = Http2Frames.more();
        for (int i = 0; i < 1_500; i++) {
            frames.frame(type, 0, stream, 0, 0, 0, 1);
        }

        connection.send(frames.toBytes());

        connection.readToEnd();
        pod.awaitMet("control-frames", before + 1);
    }

    /** Netty counts empty DATA only if one comes directly after the other. */
    @Test
    void emptyDataBetweenOther_endsTheConnectionAboveANumber() {
        double before = pod.met("control-frames");
        Http2Frames frames =
                Http2Frames.connection()
                        .frame(HEADERS, END_HEADERS, 1, Http2Frames.postFields("/send", 2_000));
        for (int i = 0; i < 1_500; i++) {
            frames.frame(DATA, 0, 1).frame(DATA, 0, 1, 'x');
        }

        RawConnection connection = pod.connect(frames);

        connection.readToEnd();
        pod.awaitMet("control-frames", before + 1);
    }

    /**
     * On a pod with the default time to take an answer. It takes one round trip for each DATA frame
     * of an answer, and on a busy machine sixty of them last longer than the time of the other
     * tests.
     */
    @Test
    void windowUpdatesForWhatWasReceived_areNotBounded() {
        try (ParleyProcess patient = ParleyProcess.builder().start().awaitReady()) {
            new Http(patient.uri()).sendForm("b".repeat(6_000), "room", "updates");
            // A small window makes small frames.
            RawConnection connection =
                    RawConnection.open(
                            patient.port(), Http2Frames.connectionWithWindow(100).toBytes());
            int updates = 0;
            int seen = 0;
            for (int stream = 1; updates < 3_000; stream += 2) {
                int current = stream;
                connection.send(
                        Http2Frames.more().get(stream, "/rooms/updates/messages").toBytes());
                boolean ended = false;
                while (!ended) {
                    Http2Frames.await(connection, frame -> true, seen + 1);
                    List<Frame> frames = Http2Frames.received(connection);
                    Http2Frames windows = Http2Frames.more();
                    for (Frame frame : frames.subList(seen, frames.size())) {
                        if (frame.type() == DATA && frame.length() > 0) {
                            // One for the stream, and one for the connection.
                            windows.window(frame.stream(), frame.length())
                                    .window(0, frame.length());
                            updates += 2;
                        }
                        ended |= frame.stream() == current && (frame.flags() & END_STREAM) != 0;
                    }
                    seen = frames.size();
                    connection.send(windows.toBytes());
                }
            }

            connection.send(Http2Frames.more().frame(PING, 0, 0, new byte[8]).toBytes());
            Http2Frames.await(connection, frame -> frame.type() == PING, 1);
            connection.close();
        }
    }

    @Test
    void pingsOfAWellBehavedClient_areAnswered() {
        RawConnection connection = pod.connect(Http2Frames.connection().get(1, PATH));
        Http2Frames frames = Http2Frames.more();
        for (int i = 0; i < 500; i++) {
            frames.frame(PING, 0, 0, new byte[8]);
        }

        connection.send(frames.toBytes());

        Http2Frames.await(connection, frame -> frame.type() == PING, 500);
        connection.send(Http2Frames.more().get(3, PATH).toBytes());
        Http2Frames.await(connection, frame -> frame.type() == HEADERS && frame.stream() == 3, 1);
    }

    @Test
    void pingsAfterAnUpgradeFromHttp1_areBoundedToo() {
        double before = pod.met("control-frames");
        String upgrade =
                String.join(
                        "\r\n",
                        "GET " + PATH + " HTTP/1.1",
                        "Host: x",
                        "Connection: Upgrade, HTTP2-Settings",
                        "Upgrade: h2c",
                        "HTTP2-Settings: AAMAAABkAAQAAP__",
                        "",
                        "");
        RawConnection connection = pod.connect(upgrade);
        connection.await("101 Switching Protocols");
        Http2Frames frames = Http2Frames.connection();
        for (int i = 0; i < 1_100; i++) {
            frames.frame(PING, 0, 0, new byte[8]);
        }

        connection.send(frames.toBytes());

        connection.readToEnd();
        pod.awaitMet("control-frames", before + 1);
    }

    @Test
    void emptyContinuationsWithoutEnd_endTheConnection() {
        Http2Frames frames = beginHead(Http2Frames.connection(), 1);
        for (int i = 0; i < 1_000; i++) {
            frames.frame(CONTINUATION, 0, 1);
        }

        RawConnection connection = pod.connect(frames);

        connection.readToEnd();
        assertCalmed(connection);
    }

    @Test
    void largeContinuationsWithoutEnd_endTheConnection() {
        double late = pod.met("head-timeout");
        Http2Frames frames = beginHead(Http2Frames.connection(), 1);
        byte[] field = Http2Frames.field("a", "b".repeat(8_000));
        for (int i = 0; i < 20; i++) {
            frames.frame(CONTINUATION, 0, 1, field);
        }

        RawConnection connection = pod.connect(frames);

        connection.readToEnd();
        assertThat(Http2Frames.received(connection))
                .noneMatch(frame -> frame.type() == HEADERS)
                .anyMatch(frame -> frame.type() == GOAWAY && frame.error() == Frame.PROTOCOL_ERROR);
        assertThat(pod.met("head-timeout")).isEqualTo(late);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void headThatDoesNotEnd_isCutAfterItsTime(int earlierRequests) {
        double before = pod.met("head-timeout");
        Http2Frames frames = Http2Frames.connection();
        for (int i = 0; i < earlierRequests; i++) {
            frames.get(1, PATH);
        }

        RawConnection connection = pod.connect(beginHead(frames, 3));

        connection.readToEnd();
        assertThat(pod.met("head-timeout")).isEqualTo(before + 1);
    }

    @Test
    void frameThatDoesNotEnd_isCutAfterItsTime() {
        double before = pod.met("head-timeout");
        byte[] whole = Http2Frames.more().get(3, PATH).toBytes();
        RawConnection connection = pod.connect(Http2Frames.connection().get(1, PATH));
        Http2Frames.await(connection, frame -> frame.type() == HEADERS, 1);

        connection.send(Arrays.copyOf(whole, whole.length - 1));

        connection.readToEnd();
        assertThat(pod.met("head-timeout")).isEqualTo(before + 1);
    }

    @Test
    void headsThatDoNotEnd_areBoundedInSum() {
        double before = pod.met("head-bytes");
        byte[] field = Http2Frames.field("a", "b".repeat(8_000));

        // A quarter of 400 KB: room for about twelve of them.
        for (int i = 0; i < 30; i++) {
            pod.connect(
                    Http2Frames.connection()
                            .get(1, PATH)
                            .frame(HEADERS, END_STREAM, 3, Http2Frames.fields(PATH))
                            .frame(CONTINUATION, 0, 3, field));
        }

        pod.awaitMet("head-bytes", before + 10);
        pod.assertServed();
    }

    @Test
    void bodyFramesThatDoNotEnd_areCounted() {
        byte[] part = new byte[9_000];
        Http2Frames frames =
                Http2Frames.connection()
                        .get(1, PATH)
                        .frame(HEADERS, END_HEADERS, 3, Http2Frames.fields(PATH))
                        .frame(DATA, END_STREAM, 3, part);
        byte[] whole = frames.toBytes();

        RawConnection connection = pod.connect(Arrays.copyOf(whole, whole.length - 1_000));

        Timeouts.await("the bytes are counted")
                .untilAsserted(() -> assertThat(pod.held("bodies")).isGreaterThanOrEqualTo(8_000));
        connection.close();
    }

    /** Each request takes kilobytes, however little is sent for it. */
    @ParameterizedTest
    @ValueSource(strings = {"/send", "/events"})
    void requestsThatWait_areBoundedInSum(String path) {
        Http2Frames frames = Http2Frames.connection();
        for (int i = 0; i < 40; i++) {
            frames.frame(HEADERS, END_HEADERS, 2 * i + 1, Http2Frames.postFields(path));
        }

        assertBoundedInSum(frames);
    }

    /** A stream is bounded otherwise, but these become none. */
    @Test
    void errorsForStreams_thatAreNotTaken_areBoundedInSum() {
        Http2Frames frames = Http2Frames.connectionWithWindow(0);
        for (int i = 0; i < 40; i++) {
            frames.get(2 * i + 1, "/events?room=!");
        }

        assertBoundedInSum(frames);
    }

    /**
     * The window is enough for the beginning of a stream, and not for its goodbye. Each stream asks
     * for half of the rooms that its address may read, and the first two get them.
     */
    @Test
    void goodbyesToRefusedStreams_thatAreNotTaken_areBoundedInSum() {
        String rooms = IntStream.range(1, 50).mapToObj(i -> "&room=" + i).collect(joining());
        Http2Frames frames = Http2Frames.connectionWithWindow(40);
        for (int i = 0; i < 42; i++) {
            frames.get(2 * i + 1, "/events?format=json&room=0" + rooms);
        }

        assertBoundedInSum(frames);
    }

    /** There is room for sixteen of forty requests: a quarter of 400 KB. */
    private static void assertBoundedInSum(Http2Frames frames) {
        double before = pod.met("head-bytes");

        RawConnection connection = pod.connect(frames);

        Http2Frames.await(connection, frame -> frame.error() == Frame.REFUSED_STREAM, 20);
        assertThat(pod.met("head-bytes")).isGreaterThanOrEqualTo(before + 20);
        assertThat(pod.held("heads")).isLessThanOrEqualTo(100 << 10);
        pod.assertServed();
    }

    @Test
    void formsThatHaveBecomeStreams_areNotCounted() {
        byte[] form = "room=flow".getBytes(StandardCharsets.US_ASCII);
        RawConnection connection = pod.connect(Http2Frames.connection());

        // There is room for sixteen at a time.
        for (int opened = 0; opened < 40; opened += 10) {
            Http2Frames frames = Http2Frames.more();
            for (int i = opened; i < opened + 10; i++) {
                int stream = 2 * i + 1;
                frames.frame(HEADERS, END_HEADERS, stream, Http2Frames.formFields("/events"))
                        .frame(DATA, END_STREAM, stream, form);
            }
            connection.send(frames.toBytes());
            Http2Frames.await(connection, frame -> frame.type() == HEADERS, opened + 10);
            Timeouts.await("no request counts").until(() -> pod.held("heads") == 0);
        }
    }

    /** A frame of one byte takes a hundred in memory, also of a body that no call reads. */
    @ParameterizedTest
    @ValueSource(strings = {"/send", "/clock"})
    void bodyFramesOfOneByte_endTheConnectionAboveANumber(String path) {
        double before = pod.met("control-frames");
        byte[] fields =
                path.equals("/send") ? Http2Frames.postFields(path) : Http2Frames.fields(path);
        Http2Frames frames = Http2Frames.connection().frame(HEADERS, END_HEADERS, 1, fields);
        for (int i = 0; i < 2_000; i++) {
            frames.frame(DATA, 0, 1, 'x');
        }

        RawConnection connection = pod.connect(frames);

        connection.readToEnd();
        pod.awaitMet("control-frames", before + 1);
    }

    @Test
    void bodyBehindManyRequests_isCounted() {
        Http2Frames frames = Http2Frames.connection();
        for (int i = 0; i < 40; i++) {
            frames.get(2 * i + 1, PATH);
        }
        frames.frame(HEADERS, END_HEADERS, 101, Http2Frames.postFields("/send", 20_000))
                .frame(DATA, 0, 101, new byte[9_000]);

        RawConnection connection = pod.connect(frames);

        pod.awaitHeld("bodies", 9_000);
        connection.close();
    }

    /** Each connection could otherwise keep its window of 64 KB for as long as the stream lasts. */
    @ParameterizedTest
    @ValueSource(strings = {"/events?room=flood", "/clock"})
    void bodyThatNoCallReads_isDroppedAsItArrives(String path) {
        Http2Frames frames =
                Http2Frames.connection().frame(HEADERS, END_HEADERS, 1, Http2Frames.fields(path));
        for (int i = 0; i < 4; i++) {
            frames.frame(DATA, 0, 1, new byte[15_000]);
        }

        RawConnection connection = pod.connect(frames);

        // It opens the window of the connection again when half of it has been dropped.
        Http2Frames.await(
                connection, frame -> frame.type() == WINDOW_UPDATE && frame.stream() == 0, 1);
        connection.close();
    }

    /** A thread for each body that has not arrived would leave none for another client's text. */
    @Test
    void longTextOfAnother_isPublishedWhileBodiesStop() {
        Http2Frames frames = Http2Frames.connection();
        for (int stream = 1; stream <= 9; stream += 2) {
            frames.frame(HEADERS, END_HEADERS, stream, Http2Frames.postFields("/send", 40_000))
                    .frame(DATA, 0, stream, new byte[12_000]);
        }

        pod.connect(frames);

        pod.awaitHeld("bodies", 60_000);
        assertThat(pod.http().sendForm("t".repeat(60_000)).status()).isEqualTo(200);
    }

    @Test
    void streamsAboveTheNumber_areRefused() {
        Http2Frames frames = Http2Frames.connection();
        for (int i = 0; i < 150; i++) {
            frames.get(2 * i + 1, "/events?room=flood");
        }

        RawConnection connection = pod.connect(frames);

        Http2Frames.await(connection, frame -> frame.error() == Frame.REFUSED_STREAM, 50);
        pod.metrics().awaitValue("parley_connected_clients", 101);
    }

    @Test
    void streamsThatTakeNoBytes_areReset() {
        Http2Frames frames = Http2Frames.connectionWithoutWindow();
        for (int i = 0; i < 20; i++) {
            frames.get(2 * i + 1, "/events?room=lobby");
        }

        RawConnection connection = pod.connect(frames);

        Http2Frames.await(connection, frame -> frame.type() == RST_STREAM, 20);
        pod.metrics().awaitValue("parley_connected_clients", 1);
    }

    @Test
    void pagesThatAreNotTaken_areReset() {
        double before = pod.met("answer-timeout");
        Http2Frames frames = Http2Frames.connectionWithoutWindow();
        for (int i = 0; i < 10; i++) {
            frames.get(2 * i + 1, "/chat.js");
        }

        RawConnection connection = pod.connect(frames);

        Http2Frames.await(connection, frame -> frame.type() == RST_STREAM, 10);
        assertThat(pod.met("answer-timeout")).isEqualTo(before + 10);
    }

    @Test
    void headAboveItsSize_gets431_andTheConnectionGoesOn() {
        byte[] field = Http2Frames.field("a", "b".repeat(20_000));
        byte[] first = new byte[16_000];
        System.arraycopy(field, 0, first, 0, first.length);
        byte[] rest = Arrays.copyOfRange(field, first.length, field.length);
        Http2Frames frames =
                Http2Frames.connection()
                        .frame(HEADERS, END_STREAM, 1, Http2Frames.fields(PATH))
                        .frame(CONTINUATION, 0, 1, first)
                        .frame(CONTINUATION, END_HEADERS, 1, rest)
                        .get(3, PATH);

        RawConnection connection = pod.connect(frames);

        Http2Frames.await(connection, frame -> frame.stream() == 3, 2);
        assertThat(connection.text()).contains("431");
        assertThat(Http2Frames.received(connection).stream().filter(frame -> frame.stream() == 1))
                .extracting(Frame::type)
                .containsOnly(HEADERS, RST_STREAM);
    }

    private static Http2Frames beginHead(Http2Frames frames, int stream) {
        return frames.frame(HEADERS, END_STREAM, stream, Http2Frames.fields(PATH));
    }
}
