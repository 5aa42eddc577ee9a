package dev.parley.sse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.SseReader.Event;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Streams over HTTP/1.0 and HTTP/2. */
class HttpVersionsIT {

    @AutoClose private static ParleyProcess pod;
    private static Http http;

    @BeforeAll
    static void startPod() {
        // No heartbeat may come between the bytes that are compared.
        pod = ParleyProcess.builder().config("parley.events.heartbeat", "1H").start().awaitReady();
        http = new Http(pod.uri());
    }

    @Test
    void http10Reader_receivesTheStreamWithoutChunks() {
        byte[] request =
                "GET /events?room=old HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
        try (RawConnection stream = RawConnection.open(pod.port(), request)) {
            stream.await("-0\n\n");
            String id = http.sendForm("hi", "room", "old").header("Event-Id");
            stream.await("-1\n\n");

            String head = stream.text().substring(0, stream.text().indexOf("\r\n\r\n"));
            String body = stream.text().substring(head.length() + 4);
            assertThat(head)
                    .startsWith("HTTP/1.0 200 ")
                    .contains("text/event-stream")
                    .doesNotContainIgnoringCase("transfer-encoding");
            assertThat(body)
                    .matches(
                            """
                            : connected
                            retry: \\d+
                            event: position
                            data: \\{.*}
                            id: [0-9a-z]+-0

                            data: hi
                            id: .*

                            """)
                    .endsWith("\n\ndata: hi\nid: " + id + "\n\n");
        }
    }

    @Test
    void http2Reader_receivesTheStream_andIsNoLongerCountedWhenItIsGone() throws Exception {
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
        HttpRequest request = HttpRequest.newBuilder(pod.uri("/events?room=new")).build();
        Metrics metrics = new Metrics(pod);
        String text = "é".repeat(30_000);

        HttpResponse<InputStream> response = client.send(request, BodyHandlers.ofInputStream());

        assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("content-type"))
                .contains("text/event-stream;charset=utf-8");
        try (InputStream in = response.body()) {
            readUntil(in, "-0\n\n");
            String first = http.sendForm(text, "room", "new").header("Event-Id");
            String second = http.sendForm("end", "room", "new").header("Event-Id");
            List<Event> events = TwoParsers.events(readUntil(in, "id: " + second + "\n\n"));

            assertThat(events).extracting(Event::id).containsExactly(first, second);
            assertThat(events.get(0).data().equals(text)).isTrue();
            assertThat(metrics.value("parley_connected_clients")).isPositive();
        }
        metrics.awaitValue("parley_connected_clients", 0);
    }

    /** Reads the bytes up to this end. */
    private static byte[] readUntil(InputStream in, String end) throws IOException {
        var latin1 = new StringBuilder();
        while (latin1.lastIndexOf(end) < 0) {
            int next = in.read();
            assertThat(next).as("next byte after: %s", latin1).isNotNegative();
            latin1.append((char) next);
        }
        return latin1.toString().getBytes(StandardCharsets.ISO_8859_1);
    }
}
