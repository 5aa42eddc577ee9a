package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http2Frames;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawConnection;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What floods the management port does not take the pod down. */
class ManagementPortIT {

    @AutoClose private static ParleyProcess pod;

    @BeforeAll
    static void startPod() {
        pod =
                ParleyProcess.builder()
                        .jvmOptions("-Xmx80m")
                        // Otherwise connections that are not closed for their number end by this.
                        .config("quarkus.management.idle-timeout", "1H")
                        .start()
                        .awaitReady();
    }

    @Test
    void connectionAboveTheNumber_closesTheOldestOnes_andProbesAreAnswered() {
        List<RawConnection> held =
                IntStream.range(0, 150)
                        .mapToObj(i -> connect("GET /q/health HTTP/1.1\r\nX: "))
                        .toList();

        held.subList(0, 50).forEach(RawConnection::readToEnd);
        assertThat(pod.management().get("/q/health/live").status()).isEqualTo(200);
        assertThat(new Http(pod.uri()).sendForm("served").status()).isEqualTo(200);
        RawConnection newest = held.get(held.size() - 1);
        newest.send("\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        newest.await("HTTP/1.1 200 ");
        held.forEach(RawConnection::close);
    }

    @Test
    void http2_isNotSpoken() {
        RawConnection prior =
                RawConnection.open(
                        pod.managementPort(),
                        Http2Frames.connection().get(1, "/q/metrics").toBytes());
        RawConnection upgraded =
                connect(
                        """
                        GET /q/metrics HTTP/1.1\r
                        Host: x\r
                        Connection: Upgrade, HTTP2-Settings\r
                        Upgrade: h2c\r
                        HTTP2-Settings: AAMAAABkAAQAAP__\r
                        \r
                        """);

        prior.readToEnd();
        upgraded.readToEnd();

        assertThat(prior.bytes()).isEmpty();
        assertThat(upgraded.text()).doesNotContain("# HELP");
    }

    @Test
    void bodies_areRefused() {
        String post = "POST /q/health HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n";
        for (int i = 0; i < 300; i++) {
            RawConnection connection = connect(post);

            connection.await(" 413 ");
            connection.close();
        }

        assertThat(pod.management().get("/q/health/live").status()).isEqualTo(200);
        assertThat(pod.log()).doesNotContain("OutOfMemoryError");
    }

    private static RawConnection connect(String bytes) {
        return RawConnection.open(pod.managementPort(), bytes.getBytes(StandardCharsets.US_ASCII));
    }
}
