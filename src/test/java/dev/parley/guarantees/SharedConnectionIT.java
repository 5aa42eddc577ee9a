package dev.parley.guarantees;

import static dev.parley.testsupport.Http2Frames.DATA;
import static dev.parley.testsupport.Http2Frames.END_HEADERS;
import static dev.parley.testsupport.Http2Frames.END_STREAM;
import static dev.parley.testsupport.Http2Frames.GOAWAY;
import static dev.parley.testsupport.Http2Frames.HEADERS;
import static dev.parley.testsupport.Http2Frames.RST_STREAM;
import static dev.parley.testsupport.Http2Frames.SETTINGS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http2Frames;
import dev.parley.testsupport.Http2Frames.Frame;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawConnection;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A proxy sends the requests of many clients on one HTTP/2 connection. What one of them does ends
 * its own stream, and a reader on the same connection goes on receiving.
 */
class SharedConnectionIT {

    private static final int READER = 1;
    private static final int STUCK = 3;

    @RegisterExtension
    static final AttackedPod pod =
            new AttackedPod(
                    ParleyProcess.builder()
                            .config("parley.limits.answer-timeout", "1S")
                            .config("parley.limits.body-bytes", "400K")
                            .config("parley.events.slow-timeout", "1S")
                            .config("parley.events.heartbeat", "500MS")
                            .config("parley.publish.request-timeout", "3S"));

    @ParameterizedTest
    @ValueSource(strings = {"/events", "/clock", "/rooms/lobby/messages", "/chat.js"})
    void answerThatIsNotTaken_isReset_andTheReaderGoesOn(String path) {
        pod.assertServed();
        RawConnection connection = connectReader();

        connection.send(Http2Frames.more().get(STUCK, path).toBytes());

        awaitReset(connection, Frame.CANCEL);
        assertReceives(connection);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/events", "/clock"})
    void streamThatIsNotTaken_countsAsSlow(String path) {
        String slow = "parley_disconnects_total{reason=\"slow-consumer\"}";
        double before = pod.metrics().value(slow);
        RawConnection connection = connectReader();

        connection.send(Http2Frames.more().get(STUCK, path).toBytes());

        awaitReset(connection, Frame.CANCEL);
        pod.metrics().awaitValue(slow, before + 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/events", "/clock", "/rooms/lobby/messages", "/chat.js"})
    void answerThatItsClientResets_endsNoOtherStream(String path) {
        pod.assertServed();
        RawConnection connection = connectReader();
        connection.send(Http2Frames.more().get(STUCK, path).toBytes());
        Http2Frames.await(connection, frame -> frame.stream() == STUCK, 1);

        connection.send(
                Http2Frames.more().frame(RST_STREAM, 0, STUCK, 0, 0, 0, Frame.CANCEL).toBytes());

        assertReceives(connection);
    }

    @ParameterizedTest
    @CsvSource({"/send/../send, 0", "/send?room=%F, 0", "/send, 600000"})
    void requestThatIsRefused_endsNoOtherStream(String path, int length) {
        RawConnection connection = connectReader();

        connection.send(post(path, length).toBytes());

        Http2Frames.await(
                connection, frame -> frame.stream() == STUCK && frame.type() == HEADERS, 1);
        assertReceives(connection);
    }

    @ParameterizedTest
    @ValueSource(strings = {"G T", "G@T", "GET/", "(", "\"", " ", ""})
    void methodThatIsNotOne_isReset_andTheReaderGoesOn(String method) {
        RawConnection connection = connectReader();

        var fields = new ByteArrayOutputStream();
        fields.writeBytes(Http2Frames.field(":method", method));
        fields.writeBytes(Http2Frames.field(":scheme", "http"));
        fields.writeBytes(Http2Frames.field(":authority", "x"));
        fields.writeBytes(Http2Frames.field(":path", "/clock"));
        connection.send(
                Http2Frames.more()
                        .frame(HEADERS, END_STREAM | END_HEADERS, STUCK, fields.toByteArray())
                        .toBytes());

        awaitReset(connection, Frame.PROTOCOL_ERROR);
        assertReceives(connection);
    }

    @Test
    void bodyThatTurnsOutTooLong_endsNoOtherStream() {
        RawConnection connection = connectReader();

        byte[] fields = Http2Frames.postFields("/send");
        connection.send(Http2Frames.more().frame(HEADERS, END_HEADERS, STUCK, fields).toBytes());
        // The pod lets more come as it reads, as far as the window goes.
        for (int i = 0; i < 40; i++) {
            connection.send(Http2Frames.more().frame(DATA, 0, STUCK, new byte[16_000]).toBytes());
        }

        Http2Frames.await(
                connection, frame -> frame.stream() == STUCK && frame.type() == HEADERS, 1);
        assertReceives(connection);
    }

    /** The client need not send the rest of its body (RFC 9113 §8.1). */
    @Test
    void bodyThatStops_isRefused_andResetWithoutAnError() {
        RawConnection connection = connectReader();

        connection.send(post("/send", 1_000).frame(DATA, 0, STUCK, new byte[10]).toBytes());
        connection.send(window(STUCK));

        awaitReset(connection, Frame.NO_ERROR);
        assertThat(Http2Frames.received(connection))
                .filteredOn(frame -> frame.stream() == STUCK)
                .extracting(Frame::type)
                .containsExactly(HEADERS, DATA, RST_STREAM);
        assertReceives(connection);
    }

    /** A stream that was opened nevertheless would have its place until it counts as slow. */
    @Test
    void streamsThatAreResetAtOnce_areNotOpened() {
        String slow = "parley_disconnects_total{reason=\"slow-consumer\"}";
        double before = pod.metrics().value(slow);
        RawConnection connection = connectReader();
        double readers = pod.metrics().value("parley_connected_clients");
        Http2Frames attack = Http2Frames.more();
        for (int stream = STUCK; stream < 100; stream += 2) {
            attack.get(stream, "/events?room=idle")
                    .frame(RST_STREAM, 0, stream, 0, 0, 0, Frame.CANCEL);
        }

        connection.send(attack.toBytes());

        assertReceives(connection);
        pod.metrics().awaitValue("parley_connected_clients", readers);
        assertThat(pod.metrics().value(slow)).isEqualTo(before);
    }

    /** When a pod is gone, a proxy asks another one for the streams of all its readers at once. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void streamsThatAreOpenedTogether_areAllServed(boolean byPost) {
        int streams = 90;
        Http2Frames burst = Http2Frames.connection().window(0, 1 << 28);
        for (int stream = 1; stream < 2 * streams; stream += 2) {
            if (byPost) {
                byte[] form = "room=lobby".getBytes(StandardCharsets.US_ASCII);
                burst.frame(HEADERS, END_HEADERS, stream, Http2Frames.formFields("/events"))
                        .frame(DATA, END_STREAM, stream, form);
            } else {
                burst.get(stream, "/events?room=lobby");
            }
        }

        RawConnection connection = pod.connect(burst.toBytes());

        Http2Frames.await(connection, frame -> frame.type() == HEADERS, streams);
        assertThat(connection.readUntil(text -> count(text, "event: position") == streams))
                .as(() -> Http2Frames.received(connection).toString())
                .isTrue();
    }

    /** More than may wait for their turn as requests, so that some connections wait too. */
    @Test
    void streamsThatAreOpenedTogether_onManyConnections_areAllServed() {
        int streams = 90;
        Http2Frames burst = Http2Frames.more();
        for (int stream = 1; stream < 2 * streams; stream += 2) {
            burst.get(stream, "/events?room=lobby");
        }
        List<RawConnection> connections = new ArrayList<>();
        try {
            for (int i = 0; i < 40; i++) {
                connections.add(pod.connect(Http2Frames.connection().window(0, 1 << 28)));
            }
            connections.forEach(
                    one -> Http2Frames.await(one, frame -> frame.type() == SETTINGS, 1));

            connections.forEach(connection -> connection.send(burst.toBytes()));

            for (RawConnection connection : connections) {
                Http2Frames.await(connection, frame -> frame.type() == HEADERS, streams);
                assertThat(connection.readUntil(text -> count(text, "event: position") == streams))
                        .isTrue();
            }
            assertReceives(connectReader());
        } finally {
            connections.forEach(RawConnection::close);
        }
    }

    private static int count(String text, String part) {
        return text.split(Pattern.quote(part), -1).length - 1;
    }

    /** Opens a connection whose streams have a window of 0, but for that of a reader. */
    private static RawConnection connectReader() {
        RawConnection connection =
                pod.connect(
                        Http2Frames.connectionWithoutWindow()
                                .window(0, 1 << 28)
                                .get(READER, "/events?room=lobby"));
        connection.send(window(READER));
        connection.readUntil(text -> text.contains("event: position"));
        return connection;
    }

    private static byte[] window(int stream) {
        return Http2Frames.more().window(stream, 1 << 28).toBytes();
    }

    private static Http2Frames post(String path, int length) {
        byte[] fields = Http2Frames.postFields(path, length);
        return Http2Frames.more().frame(HEADERS, END_HEADERS, STUCK, fields);
    }

    private static void awaitReset(RawConnection connection, int error) {
        Http2Frames.await(
                connection, frame -> frame.stream() == STUCK && frame.type() == RST_STREAM, 1);
        assertThat(Http2Frames.received(connection))
                .filteredOn(frame -> frame.type() == RST_STREAM)
                .extracting(Frame::error)
                .containsExactly(error);
    }

    private static void assertReceives(RawConnection connection) {
        String text = "after " + connection.bytes().length;
        assertThat(pod.http().sendForm(text).status()).isEqualTo(200);
        assertThat(connection.readUntil(all -> all.contains("data: " + text)))
                .as(() -> Http2Frames.received(connection).toString())
                .isTrue();
        assertThat(Http2Frames.received(connection)).noneMatch(frame -> frame.type() == GOAWAY);
    }
}
