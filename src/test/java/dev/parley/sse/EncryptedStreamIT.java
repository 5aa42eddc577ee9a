package dev.parley.sse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.Ports;
import dev.parley.testsupport.SelfSignedCertificate;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Streams of a pod that terminates TLS itself. */
class EncryptedStreamIT {

    @TempDir private static Path directory;

    @Test
    void encryptedReader_receivesEveryMessage() throws Exception {
        Path store = directory.resolve("pod.p12");
        SelfSignedCertificate certificate = SelfSignedCertificate.create(store);
        int port = Ports.free();
        try (ParleyProcess pod =
                ParleyProcess.builder()
                        // The framework's metrics need both ports to be configured, or neither.
                        .port(Ports.free())
                        .config("quarkus.http.ssl-port", Integer.toString(port))
                        .config("quarkus.http.ssl.certificate.key-store-file", store.toString())
                        .config(
                                "quarkus.http.ssl.certificate.key-store-password",
                                SelfSignedCertificate.PASSWORD)
                        .start()
                        .awaitReady()) {
            HttpResponse<InputStream> response = get(certificate, port);
            String text = "é".repeat(20_000);
            Http http = new Http(pod.uri());
            try (var stream = new BufferedReader(new InputStreamReader(response.body(), UTF_8))) {
                awaitLine(stream, "");

                String first = http.sendForm(text).header("Event-Id");
                String second = http.sendForm("end").header("Event-Id");

                assertThat(awaitLine(stream, "id: " + second))
                        .containsExactly(
                                "data: " + text, "id: " + first, "", "data: end", "id: " + second);
            }
            new Metrics(pod).awaitValue("parley_connected_clients", 0);
        }
    }

    private static HttpResponse<InputStream> get(SelfSignedCertificate certificate, int port)
            throws Exception {
        HttpClient client =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .sslContext(certificate.trusting())
                        .build();
        URI uri = URI.create("https://localhost:" + port + "/events");
        return client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofInputStream());
    }

    /** Reads the lines up to this one. */
    private static List<String> awaitLine(BufferedReader stream, String expected)
            throws IOException {
        List<String> lines = new ArrayList<>();
        String line;
        do {
            line = stream.readLine();
            assertThat(line).as("next line after: %s", lines).isNotNull();
            lines.add(line);
        } while (!line.equals(expected));
        return lines;
    }
}
