package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.SharedPod;
import dev.parley.testsupport.TestRoom;
import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A head above its size is refused with the status that says which part is too large. */
@ExtendWith(SharedPod.Extension.class)
class HeadSizeIT {

    private static final String HOST = " HTTP/1.1\r\nHost: x\r\n";

    private final SharedPod pod;
    private final TestRoom room;

    HeadSizeIT(SharedPod pod) {
        this.pod = pod;
        this.room = pod.newRoom();
    }

    @ParameterizedTest
    @CsvSource({"GET, /", "GET, /events?room=", "POST, /send?msg="})
    void requestLineAbove8KiB_gets414(String method, String path) {
        RawConnection answer = send(method + " " + path + "a".repeat(8_200) + HOST + "\r\n");

        assertThat(answer.text()).startsWith("HTTP/1.").contains(" 414 ");
    }

    @Test
    void targetOfACallWithoutTextOrPosition_gets414Above4KiB() {
        RawConnection answer =
                send(
                        "GET /clock?room="
                                + "a".repeat(4_100)
                                + HOST
                                + "Accept: application/json\r\n\r\n");

        assertThat(answer.answer().status()).isEqualTo(414);
        assertThat(answer.text()).contains("\"code\":\"uri-too-long\"");
    }

    /** The decoder's buffer, because of which other connections end, is gone. */
    @Test
    void streamWithALargeHead_goesOn() {
        RawConnection stream =
                RawConnection.open(
                        pod.process().port(),
                        ("GET /events?room="
                                        + room.name()
                                        + HOST
                                        + "Cookie: "
                                        + "c".repeat(9_000)
                                        + "\r\n\r\n")
                                .getBytes(StandardCharsets.US_ASCII));
        stream.await("event: position");

        room.publish("later");

        stream.await("data: later");
        assertThat(stream.text()).doesNotContain("Connection: close");
        stream.close();
    }

    @Test
    void wrongRequestForAStreamWithALargeHead_closesTheConnection() {
        RawConnection answer =
                send("GET /events?room=-" + HOST + "Cookie: " + "c".repeat(9_000) + "\r\n\r\n");

        assertThat(answer.answer().status()).isEqualTo(400);
    }

    @Test
    void publishOfATextInTheQuery_isAcceptedBelow8KiB() {
        RawConnection answer =
                send(
                        "POST /send?room="
                                + room.name()
                                + "&msg="
                                + "a".repeat(8_000)
                                + HOST
                                + "Content-Length: 0\r\nConnection: close\r\n\r\n");

        assertThat(answer.answer().status()).isEqualTo(200);
    }

    @Test
    void oneHeaderAbove16KiB_gets431() {
        RawConnection answer = send("GET /" + HOST + "A: " + "a".repeat(17_000) + "\r\n\r\n");

        assertThat(answer.answer().status()).isEqualTo(431);
    }

    @Test
    void manyHeadersAbove16KiB_get431() {
        RawConnection answer = send("GET /" + HOST + headers(3_000) + "\r\n");

        assertThat(answer.answer().status()).isEqualTo(431);
    }

    @Test
    void moreHeadersThanTheNumber_get431WithAReason() {
        RawConnection accepted = send("GET /" + HOST + headers(295) + "Connection: close\r\n\r\n");
        RawConnection refused =
                send(
                        "GET /"
                                + HOST
                                + headers(295)
                                + "Accept: application/json\r\n".repeat(10)
                                + "\r\n");

        assertThat(accepted.answer().status()).isEqualTo(200);
        assertThat(refused.answer().status()).isEqualTo(431);
        assertThat(refused.text()).contains("\"code\":\"too-many-headers\"");
    }

    private static String headers(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> "A" + i + ": b\r\n")
                .collect(Collectors.joining());
    }

    @Test
    void headBelow16KiB_isAccepted() {
        RawConnection answer =
                send("GET /" + HOST + "A: " + "a".repeat(15_000) + "\r\nConnection: close\r\n\r\n");

        assertThat(answer.answer().status()).isEqualTo(200);
    }

    /** After the body, and inside of it: neither is a head, and both are bounded as one. */
    @ParameterizedTest
    @CsvSource({"0\\r\\n, A: ", "1;, a"})
    void trailersAndChunkExtensionsWithoutEnd_endTheConnection(String begin, String text) {
        RawConnection connection =
                send(
                        "POST /send"
                                + HOST
                                + "Transfer-Encoding: chunked\r\n\r\n"
                                + begin.replace("\\r\\n", "\r\n")
                                + text
                                + "a".repeat(100_000));

        assertThat(connection.text()).doesNotContain(" 200 ");
        assertThat(pod.http().sendForm("served", "room", room.name()).status()).isEqualTo(200);
    }

    /** Sends bytes and reads until the server closes. */
    private RawConnection send(String request) {
        try (var connection =
                RawConnection.open(
                        pod.process().port(), request.getBytes(StandardCharsets.US_ASCII))) {
            connection.readToEnd();
            return connection;
        }
    }
}
