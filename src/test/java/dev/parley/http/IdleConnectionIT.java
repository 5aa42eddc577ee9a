package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http2Frames;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A connection on which nothing is said for a while is closed; a stream has heartbeats. */
class IdleConnectionIT {

    private static ParleyProcess pod;

    @BeforeAll
    static void startPod() {
        pod =
                ParleyProcess.builder()
                        .config("quarkus.http.idle-timeout", "4S")
                        // Longer than the silence after which a connection is closed.
                        .config("parley.events.heartbeat", "90S")
                        .start()
                        .awaitReady();
    }

    @AfterAll
    static void stopPod() {
        pod.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "GET /rooms/a/messages HTTP/1.1\r\nHost: x\r\n\r\n"})
    void silentConnection_isClosed(String request) {
        try (var connection = open(request.getBytes(StandardCharsets.US_ASCII))) {
            connection.readToEnd();
        }
    }

    @Test
    void silentHttp2Connection_isClosed() {
        try (var connection =
                open(Http2Frames.connection().get(1, "/rooms/a/messages").toBytes())) {
            connection.readToEnd();

            assertThat(Http2Frames.received(connection))
                    .anyMatch(frame -> frame.type() == Http2Frames.HEADERS);
        }
    }

    @Test
    void streamWithHeartbeats_isNotClosed() {
        byte[] old = "GET /events HTTP/1.0\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
        byte[] shared = Http2Frames.connection().get(1, "/events?heartbeat=60").toBytes();
        try (var reader = SseReader.open(pod.uri("/events"));
                var http1 = open(old);
                var http2 = open(shared)) {
            reader.awaitLastEventId();
            http1.await("event: position");
            http2.await("event: position");

            // The silent one is opened after the streams have got their last message. By the time
            // it is closed, a stream without heartbeats would be closed as well.
            try (var silent = open(new byte[0])) {
                silent.readToEnd();
            }

            Timeouts.await("the silent one is gone")
                    .untilAsserted(
                            () ->
                                    assertThat(new Metrics(pod).value("parley_sockets"))
                                            .isEqualTo(3));
            assertThat(new Metrics(pod).value("parley_connected_clients")).isEqualTo(3);
        }
    }

    private static RawConnection open(byte[] bytes) {
        return RawConnection.open(pod.port(), bytes);
    }
}
