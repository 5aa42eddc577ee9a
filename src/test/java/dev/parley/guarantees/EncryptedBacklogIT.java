package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.Ports;
import dev.parley.testsupport.SelfSignedCertificate;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A stranger opens streams to a pod that terminates TLS itself, and takes none of the messages that
 * are published: the pod encrypts them anew for each stream.
 */
class EncryptedBacklogIT {

    private static final int STREAMS = 20;

    private static final int MESSAGES = 10;

    /** Longer than what the kernel buffers at both ends, all of them together. */
    private static final String LONG = "x".repeat(60_000);

    private static final String HELD = "parley_held_bytes{kind=\"backlogs\"}";

    private static final String CUT = "parley_disconnects_total{reason=\"slow-consumer\"}";

    /** A quarter of the bound, and a batch that each event loop may be writing at that moment. */
    private static final double MOST = 256 * 1024 + 2 * 130 * 1024;

    @TempDir private static Path directory;

    private final List<Socket> attack = new ArrayList<>();

    @AfterEach
    void closeAll() throws IOException {
        for (Socket socket : attack) {
            socket.close();
        }
    }

    @Test
    void liveMessagesThatAreNotTaken_areBoundedInSum_andReachAnotherReader() throws Exception {
        SelfSignedCertificate certificate =
                SelfSignedCertificate.create(directory.resolve("pod.p12"));
        int port = Ports.free();
        try (ParleyProcess pod =
                ParleyProcess.builder()
                        // The framework's metrics need both ports to be configured, or neither.
                        .fixedPort()
                        .https(port, directory.resolve("pod.p12"))
                        .config("quarkus.vertx.event-loops-pool-size", "2")
                        .config("parley.limits.backlog-bytes", "1M")
                        .start()
                        .awaitReady()) {
            URI uri = URI.create("https://localhost:" + port + "/events?room=long");
            try (SseReader reader =
                    SseReader.to(uri).encrypted(certificate.trusting()).open().awaitLastEventId()) {
                for (int i = 0; i < STREAMS; i++) {
                    connect(certificate.trusting(), port);
                }
                var metrics = new Metrics(pod);
                metrics.awaitValue("parley_connected_clients", STREAMS + 1);

                var http = new Http(pod.uri());
                for (int i = 0; i < MESSAGES; i++) {
                    assertThat(http.sendForm(LONG, "room", "long").status()).isEqualTo(200);
                }

                Timeouts.await("a message is held")
                        .until(() -> metrics.value(HELD) > LONG.length());
                Timeouts.await("some are cut")
                        .until(
                                () -> {
                                    assertThat(metrics.value(HELD)).isLessThanOrEqualTo(MOST);
                                    return metrics.value(CUT) >= 4;
                                });
                assertThat(reader.awaitMessages(MESSAGES).messages()).hasSize(MESSAGES);
            }
        }
    }

    private void connect(SSLContext client, int port) throws IOException {
        var plain = new Socket(InetAddress.getLoopbackAddress(), port, AttackedPod.STRANGER, 0);
        plain.setSoTimeout(Timeouts.millis());
        Socket encrypted = client.getSocketFactory().createSocket(plain, "localhost", port, true);
        attack.add(encrypted);
        encrypted
                .getOutputStream()
                .write(
                        "GET /events?room=long HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                .getBytes(StandardCharsets.US_ASCII));
    }
}
