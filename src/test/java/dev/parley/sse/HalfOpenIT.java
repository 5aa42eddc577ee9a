package dev.parley.sse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.NetworkNamespace;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SseReader;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A reader whose network fails without closing the connection. */
class HalfOpenIT {

    private static final String CONNECTED = "parley_connected_clients";

    /** A reader that runs in a separate process. */
    static final class Reader {

        public static void main(String[] args) {
            try (SseReader reader = SseReader.open(URI.create(args[0])).awaitLastEventId()) {
                System.out.println("connected");
                reader.await("end", Duration.ofHours(1), SseReader::closed);
            }
        }
    }

    private static String[] readerOf(String host, int port) {
        return new String[] {
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-cp",
            Path.of(Reader.class.getProtectionDomain().getCodeSource().getLocation().getPath())
                    .toString(),
            Reader.class.getName(),
            "http://" + host + ":" + port + "/events"
        };
    }

    @Test
    void readerBehindACutCable_isNoLongerCounted() {
        Optional<NetworkNamespace> namespace = NetworkNamespace.open();
        assumeTrue(namespace.isPresent(), "network namespaces need root on Linux");
        try (NetworkNamespace elsewhere = namespace.get();
                ParleyProcess pod =
                        ParleyProcess.builder()
                                .config("quarkus.http.host", "0.0.0.0")
                                .config("parley.events.heartbeat", "500ms")
                                .config("parley.events.slow-timeout", "100ms")
                                .start()
                                .awaitReady();
                SseReader staying = SseReader.open(pod.uri("/events")).awaitLastEventId()) {
            Metrics metrics = new Metrics(pod);
            elsewhere.run("connected", readerOf(elsewhere.host(), pod.port()));
            metrics.awaitValue(CONNECTED, 2);

            elsewhere.cut();

            // Without Parley's limit the kernel would retry for a quarter of an hour.
            metrics.awaitValue(CONNECTED, 1);
            metrics.awaitValue("parley_disconnects_total{reason=\"client\"}", 1);
            assertThat(staying.connected()).isTrue();
            assertThat(pod.log()).doesNotContain("ERROR").doesNotContain("WARN");
        }
    }
}
