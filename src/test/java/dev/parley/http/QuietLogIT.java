package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.Timeouts;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What clients do with their connections is not a warning in the log. */
class QuietLogIT {

    private static ParleyProcess pod;

    @BeforeAll
    static void startPod() {
        pod = ParleyProcess.start().awaitReady();
    }

    @AfterAll
    static void stopPod() {
        pod.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "POST /send HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\n\r\n",
                "POST //send HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
            })
    void refusedRequest_whoseClientKeepsItsConnection(String request) {
        try (var connection = open(request)) {
            connection.readToEnd();
            awaitNoConnections();
        }

        assertNoWarnings();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "G",
                "GET /ev",
                "GET /clock HTTP/1.1\r\nHost:",
                "POST /send HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nmsg",
                "PRI * HTTP/2.0\r\n"
            })
    void connectionThatIsReset(String sent) {
        var connection = open(sent);
        if (!sent.isEmpty()) {
            // By the time another connection is answered, the bytes have most likely come.
            try (var next = open("GET /none HTTP/1.1\r\nHost: x\r\n\r\n")) {
                next.readAnswer();
            }
        }
        connection.reset();
        awaitNoConnections();

        assertNoWarnings();
    }

    private static RawConnection open(String request) {
        return RawConnection.open(pod.port(), request.getBytes(StandardCharsets.US_ASCII));
    }

    private static void awaitNoConnections() {
        Timeouts.await("connections to end")
                .untilAsserted(() -> assertThat(new Metrics(pod).value("parley_sockets")).isZero());
    }

    private static void assertNoWarnings() {
        assertThat(pod.log().lines())
                .noneMatch(line -> line.contains("WARN") || line.contains("ERROR"));
    }
}
