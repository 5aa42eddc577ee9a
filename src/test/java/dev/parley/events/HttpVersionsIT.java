package dev.parley.events;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.EventStreamParser;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.Patience;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The stream over the other versions of HTTP. */
class HttpVersionsIT {

    private static ParleyProcess pod;
    private static Http http;

    @BeforeAll
    static void startPod() {
        // No heartbeat comes between the bytes that are compared.
        pod = ParleyProcess.builder().config("parley.events.heartbeat", "1H").start().awaitReady();
        http = new Http(pod.uri());
    }

    @AfterAll
    static void stopPod() {
        pod.close();
    }

    /** Reads until the stream so far ends like this. */
    private static String readUntil(InputStream in, String end) throws IOException {
        var text = new StringBuilder();
        while (!text.toString().endsWith(end)) {
            int next = in.read();
            assertThat(next).as("the stream goes on after: %s", text).isNotNegative();
            text.append((char) next);
        }
        return text.toString();
    }

    @Test
    void http10Reader_getsTheBareStream() throws Exception {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), pod.port())) {
            socket.setSoTimeout(Patience.millis());
            InputStream in = socket.getInputStream();
            socket.getOutputStream()
                    .write(
                            "GET /events?room=old HTTP/1.0\r\n\r\n"
                                    .getBytes(StandardCharsets.UTF_8));

            String head = readUntil(in, "\r\n\r\n");
            String opening = readUntil(in, "-0\n\n");
            String id = http.sendForm("hi", "room", "old").header("Event-Id");
            String event = readUntil(in, "hi\n\n");

            assertThat(head)
                    .startsWith("HTTP/1.0 200 ")
                    .contains("text/event-stream")
                    .doesNotContainIgnoringCase("transfer-encoding");
            assertThat(opening).matches(": connected\nretry: \\d+\nid: [0-9a-z]+-0\n\n");
            assertThat(event).isEqualTo("id: " + id + "\ndata: hi\n\n");
        }
    }

    @Test
    void http2Reader_getsTheStreamAndIsMissedWhenItGoes() throws Exception {
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
        HttpRequest request = HttpRequest.newBuilder(pod.uri("/events?room=new")).build();

        HttpResponse<InputStream> response = client.send(request, BodyHandlers.ofInputStream());

        assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("content-type"))
                .contains("text/event-stream;charset=utf-8");
        Metrics metrics = new Metrics(pod);
        try (InputStream in = response.body()) {
            readUntil(in, "-0\n\n");
            String text = "é".repeat(30_000);
            http.sendForm(text, "room", "new");
            http.sendForm("end", "room", "new");
            var events = new StringBuilder();
            parse(readUntil(in, "end\n\n"), events);
            assertThat(events.toString().equals("1:" + text + ";2:end;")).isTrue();
            assertThat(metrics.value("parley_connected_clients")).isPositive();
        }
        metrics.awaitValue("parley_connected_clients", 0);
    }

    /** Offset and data of each event; the stream is bytes in characters. */
    private static void parse(String stream, StringBuilder events) {
        var parser =
                new EventStreamParser(
                        "",
                        new EventStreamParser.Sink() {
                            @Override
                            public void event(String id, String type, String data) {
                                events.append(id.substring(id.indexOf('-') + 1));
                                events.append(':').append(data).append(';');
                            }

                            @Override
                            public void comment(String text) {}

                            @Override
                            public void retry(long millis) {}

                            @Override
                            public void lastEventId(String id) {}
                        });
        parser.feed(stream.getBytes(StandardCharsets.ISO_8859_1));
    }
}
