package dev.parley.sse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Streams over HTTP/1.1, whose connections are taken over from the server. */
class TakenOverConnectionIT {

    @AutoClose private static ParleyProcess pod;
    private static Http http;

    @BeforeAll
    static void startPod() {
        pod =
                ParleyProcess.builder()
                        .fixedPort()
                        .config("quarkus.http.access-log.enabled", "true")
                        .config("quarkus.http.access-log.pattern", "%m %U%q %s")
                        .start()
                        .awaitReady();
        http = new Http(pod.uri());
    }

    @Test
    void openStreams_areConnectionsButNotRequestsToTheServer() {
        Metrics metrics = new Metrics(pod);
        List<SseReader> readers = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            readers.add(SseReader.open(pod.uri("/events?room=many")).awaitLastEventId());
        }

        Timeouts.await("no request is active").until(() -> metrics.activeRequests() == 0);
        assertThat(metrics.connections()).isGreaterThanOrEqualTo(20);
        assertThat(metrics.value("parley_connected_clients")).isEqualTo(20);

        readers.forEach(SseReader::close);
        metrics.awaitValue("parley_connected_clients", 0);
        Timeouts.await("the server no longer counts them").until(() -> metrics.connections() < 20);
    }

    @Test
    void openStream_isInTheAccessLogAlready() {
        try (RawConnection reader = open("logged", "")) {
            pod.awaitLog("room=logged 200");

            http.sendForm("still open", "room", "logged");
            reader.await("data: still open\nid: ");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Connection: close\r\n", "Content-Length: 5\r\n"})
    void readerThatAsksToCloseOrAnnouncesABody_receivesTheStream(String header) {
        String room = header.substring(0, header.indexOf(':'));
        try (RawConnection reader = open(room, header)) {
            String id = http.sendForm("hello", "room", room).header("Event-Id");

            reader.await("data: hello\nid: " + id + "\n\n");
        }
        new Metrics(pod).awaitValue("parley_connected_clients", 0);
    }

    @Test
    void bytesThatAClientSendsOnItsStream_areIgnored() {
        try (RawConnection reader = open("talking", "");
                SseReader other =
                        SseReader.open(pod.uri("/events?room=talking")).awaitLastEventId()) {
            reader.send(ascii("POST /send?room=talking&msg=ignored HTTP/1.1\r\nHost: x\r\n\r\n"));
            reader.send(new byte[70_000]);
            reader.send(ascii("GET / HTTP"));
            http.sendForm("first", "room", "talking");
            http.sendForm("second", "room", "talking");

            reader.await("data: second\nid: ");
            assertThat(other.awaitMessages(2).data()).containsExactly("first", "second");
            assertThat(reader.text()).containsOnlyOnce("HTTP/1.1 ");
        }
        new Metrics(pod).awaitValue("parley_connected_clients", 0);
        assertThat(pod.log()).doesNotContain("ERROR").doesNotContain("WARN");
    }

    private static RawConnection open(String room, String headers) {
        RawConnection stream = RawConnection.open(pod.port(), request(room, headers));
        stream.await("-0\n\n");
        return stream;
    }

    private static byte[] request(String room, String headers) {
        return ascii("GET /events?room=" + room + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n");
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
