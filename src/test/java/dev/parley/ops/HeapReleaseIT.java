package dev.parley.ops;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.Timeouts;
import dev.parley.testsupport.Tool;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** A pod to which many readers have come collects its garbage, and does it again when they left. */
final class HeapReleaseIT {

    private static final int READERS = 1_100;
    private static final String FULL_COLLECTION = "Pause Full (System.gc())";
    private static final String CLIENTS = "parley_connected_clients";

    @Test
    void podCollectsAllOfItsHeap_whenManyReadersHaveCome_andWhenTheyHaveLeft() throws IOException {
        if (!System.getProperty("parley.native", "").isBlank()) {
            throw Tool.skip("a native executable does not log its collections this way");
        }
        List<Socket> readers = new ArrayList<>();
        try (var pod =
                ParleyProcess.builder()
                        .jvmOptions("-Xmx192m", "-XX:+UseG1GC", "-Xlog:gc")
                        .start()) {
            var metrics = new Metrics(pod);
            for (int i = 0; i < READERS; i++) {
                var reader = new Socket(InetAddress.getLoopbackAddress(), pod.port());
                readers.add(reader);
                reader.getOutputStream()
                        .write(
                                "GET /events?heartbeat=2 HTTP/1.1\r\nHost: x\r\n\r\n"
                                        .getBytes(US_ASCII));
            }
            Timeouts.await("all readers").until(() -> metrics.value(CLIENTS) == READERS);
            awaitCollections(pod, 1);

            closeAll(readers);

            awaitCollections(pod, 2);
            assertThat(metrics.value(CLIENTS)).isZero();
        } finally {
            closeAll(readers);
        }
    }

    private static void awaitCollections(ParleyProcess pod, int count) {
        Timeouts.await("collections")
                .until(() -> pod.log().split(Pattern.quote(FULL_COLLECTION), -1).length > count);
    }

    private static void closeAll(List<Socket> sockets) throws IOException {
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
