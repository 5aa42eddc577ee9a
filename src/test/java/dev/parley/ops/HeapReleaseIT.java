package dev.parley.ops;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.Timeouts;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A pod that many readers have left collects its garbage, and gives memory back by that. */
final class HeapReleaseIT {

    private static final int READERS = 1_100;
    private static final String FULL_COLLECTION = "Pause Full (System.gc())";
    private static final String CLIENTS = "parley_connected_clients";

    @Test
    void podThatManyReadersHaveLeft_collectsAllOfItsHeap() throws IOException {
        assumeThat(System.getProperty("parley.native", ""))
                .as("a native executable does not log its collections this way")
                .isBlank();
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
            awaitHeartbeats(readers.get(READERS - 1));
            assertThat(pod.log()).doesNotContain(FULL_COLLECTION);

            closeAll(readers);

            pod.awaitLog(FULL_COLLECTION);
            assertThat(metrics.value(CLIENTS)).isZero();
        } finally {
            closeAll(readers);
        }
    }

    /** Reads three heartbeats: by the last one the pod has counted the streams. */
    private static void awaitHeartbeats(Socket reader) throws IOException {
        reader.setSoTimeout(Timeouts.millis());
        var received = new StringBuilder();
        byte[] bytes = new byte[1024];
        while (received.toString().split("\r\n:\n", -1).length <= 3) {
            int count = reader.getInputStream().read(bytes);
            assertThat(count).as("%s", received).isPositive();
            received.append(new String(bytes, 0, count, US_ASCII));
        }
    }

    private static void closeAll(List<Socket> sockets) throws IOException {
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
