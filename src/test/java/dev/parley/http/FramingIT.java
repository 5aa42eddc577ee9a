package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.SharedPod;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A request that a proxy in front may read differently is refused, and its connection closed (RFC
 * 9112 §3.2, §6.1): nothing after it is taken for a second request.
 */
@ExtendWith(SharedPod.Extension.class)
class FramingIT {

    /** What would be a second request if the first one ended before it. */
    private static final String SMUGGLED =
            "GET /rooms/smuggled/messages HTTP/1.1\r\nHost: x\r\n\r\n";

    private final SharedPod pod;

    FramingIT(SharedPod pod) {
        this.pod = pod;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
                "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
                "Content-Length: 3\r\nContent-Length: 4\r\n",
                "Content-Length: 3, 4\r\n",
                "Transfer-Encoding: chunked, xchunked\r\n",
                "Transfer-Encoding: chunked, identity\r\n",
                "Transfer-Encoding : chunked\r\n",
            })
    void lengthThatIsAmbiguous_gets400(String headers) {
        assertRefused(post(headers), 400);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Transfer-Encoding: gzip, chunked\r\n",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            })
    void otherTransferCodingThanChunked_isRefused(String headers) {
        RawConnection connection = send(post(headers) + "0\r\n\r\n" + SMUGGLED);

        assertThat(connection.answer().status()).isIn(400, 501);
        assertOneAnswer(connection);
    }

    /** The answer has no length, so it ends with the connection (RFC 9112 §6.3). */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: !!!\r\n",
                "Connection: Upgrade\r\nUpgrade: h2c\r\n",
            })
    void upgradeToHttp2ThatFails_gets400(String headers) {
        assertRefused(post(headers + "Transfer-Encoding: chunked\r\n"), 400);
    }

    @Test
    void twoHostLines_get400() {
        assertRefused("GET /rooms/a/messages HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400);
    }

    @ParameterizedTest
    @ValueSource(strings = {"HTTX/1.1", "HTT\0/1.1", "HTTP/9.9", "x<script>/1.1"})
    void protocolThatIsNotHttp_isNotRepeated(String protocol) {
        RawConnection connection = send("GET / " + protocol + "\r\nHost: a\r\n\r\n");

        assertThat(connection.text()).matches("(?s)HTTP/1\\.[01] (400|501|505) .*");
        assertThat(connection.text()).doesNotContain(protocol);
    }

    @Test
    void oneChunkedBody_isPublished() {
        Http http = pod.http();

        String answer =
                http.raw(
                        post("transfer-encoding: Chunked\r\nConnection: close\r\n")
                                + "5\r\nhello\r\n0\r\n\r\n");

        assertThat(answer).startsWith("HTTP/1.1 200 ");
    }

    private void assertRefused(String request, int status) {
        RawConnection connection = send(request + "0\r\n\r\n" + SMUGGLED);

        assertThat(connection.answer().status()).isEqualTo(status);
        assertOneAnswer(connection);
    }

    private static void assertOneAnswer(RawConnection connection) {
        assertThat(connection.text()).containsOnlyOnce("HTTP/1.");
    }

    /** Sends bytes and reads until the server closes. */
    private RawConnection send(String request) {
        try (var connection =
                RawConnection.open(
                        pod.process().port(), request.getBytes(StandardCharsets.ISO_8859_1))) {
            connection.readToEnd();
            return connection;
        }
    }

    private static String post(String headers) {
        return "POST /send?room=framing HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
                + headers
                + "\r\n";
    }
}
