package dev.parley.sse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.Ports;
import dev.parley.testsupport.SelfSignedCertificate;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Streams of a pod that terminates TLS itself. */
class EncryptedStreamIT {

    @TempDir private static Path directory;

    @Test
    void encryptedReader_receivesEveryMessage() throws Exception {
        SelfSignedCertificate certificate =
                SelfSignedCertificate.create(directory.resolve("pod.p12"));
        Path file = Files.writeString(directory.resolve("tls.crt"), certificate.certificatePem());
        Path key = Files.writeString(directory.resolve("tls.key"), certificate.keyPem());
        int port = Ports.free();
        try (ParleyProcess pod =
                ParleyProcess.builder()
                        // The framework's metrics need both ports to be configured, or neither.
                        .fixedPort()
                        .config("quarkus.http.ssl-port", Integer.toString(port))
                        .config("quarkus.http.ssl.certificate.files", file.toString())
                        .config("quarkus.http.ssl.certificate.key-files", key.toString())
                        .start()
                        .awaitReady()) {
            URI uri = URI.create("https://localhost:" + port + "/events");
            try (SseReader reader =
                    SseReader.to(uri).encrypted(certificate.trusting()).open().awaitLastEventId()) {
                String text = "é".repeat(20_000);
                Http http = new Http(pod.uri());
                String first = http.sendForm(text).header("Event-Id");
                String second = http.sendForm("end").header("Event-Id");

                assertThat(reader.awaitMessages(2).events())
                        .containsExactly(
                                new Event(first, "message", text),
                                new Event(second, "message", "end"));
            }
            new Metrics(pod).awaitValue("parley_connected_clients", 0);
        }
    }
}
