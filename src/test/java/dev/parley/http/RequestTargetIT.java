package dev.parley.http;

import static dev.parley.testsupport.Http2Frames.END_HEADERS;
import static dev.parley.testsupport.Http2Frames.END_STREAM;
import static dev.parley.testsupport.Http2Frames.HEADERS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http2Frames;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.SharedPod;
import dev.parley.testsupport.TestRoom;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Targets that a proxy and the router could understand differently are refused. */
@ExtendWith(SharedPod.Extension.class)
final class RequestTargetIT {

    private final SharedPod pod;
    private final Http http;

    RequestTargetIT(SharedPod pod) {
        this.pod = pod;
        http = pod.http();
    }

    private String get(String method, String target, String... headers) {
        return http.raw(
                method
                        + " "
                        + target
                        + " HTTP/1.1\r\nHost: chat.example\r\n"
                        + String.join("", headers)
                        + "Connection: close\r\n\r\n");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "//q/metrics", "/%71/metrics", "/./q/metrics", "/rooms/../q/metrics",
                "/rooms/%2e%2e/q/metrics", "/rooms/a%2fb/messages", "/events;x", "//clock",
                "/x/../clock", "/cl%6fck", "/rooms//messages", "http://other.example/clock"
            })
    void targetThatIsNotNormal_isRefusedWithTheReason(String target) {
        String line = get("GET", target);
        String problem = get("GET", target, "Accept: application/json\r\n");

        assertThat(line).startsWith("HTTP/1.1 400 ").contains("\r\n\r\nbad target: ");
        assertThat(problem).startsWith("HTTP/1.1 400 ").contains("\"code\":\"bad-target\"");
        assertThat(pod.process().log()).doesNotContain("ERROR");
    }

    @ParameterizedTest
    @CsvSource({
        "/%zz, 400, bad-target",
        "/rooms/a%zz/messages, 400, bad-target",
        "/\\q/metrics, 400, bad-target",
        "/rooms/..\\clock, 400, bad-target",
        "/events?room=%zz, 400, bad-request",
        "/events?room=\\, 400, bad-request",
        "clock, 404, not-found",
        "?clock, 400, bad-target",
        "*, 404, not-found"
    })
    void targetThatIsNotOne_isRefusedWithTheReason(String target, int status, String code) {
        String line = get("GET", target);
        String problem = get("GET", target, "Accept: application/json\r\n");

        assertThat(line)
                .startsWith("HTTP/1.1 " + status + " ")
                .contains("\r\n\r\n" + code.replace('-', ' ') + ": ");
        assertThat(problem)
                .startsWith("HTTP/1.1 " + status + " ")
                .contains("application/problem+json", "\"code\":\"" + code + "\"");
        assertThat(pod.process().log()).doesNotContain("ERROR");
    }

    /** CONNECT has no target on HTTP/2 (RFC 9113 §8.5). */
    @Test
    void connectOnHttp2_isRefusedWithTheReason() {
        String answer =
                http2(
                        Http2Frames.field(":method", "CONNECT"),
                        Http2Frames.field(":authority", "chat.example:80"));

        assertThat(answer).contains("bad target: CONNECT is for proxies only");
        assertThat(pod.process().log()).doesNotContain("ERROR");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://chat.example/clock",
                "http://other.example/rooms/a/messages",
                "HTTPS://chat.example?x=/rooms/a/messages"
            })
    void wholeUriOnHttp2_isRefusedWithTheReason(String target) {
        String answer =
                http2(
                        Http2Frames.field(":method", "GET"),
                        Http2Frames.field(":scheme", "http"),
                        Http2Frames.field(":authority", "chat.example"),
                        Http2Frames.field(":path", target));

        assertThat(answer).contains("bad target: a whole URI is the target on HTTP/1 only");
    }

    /** Sends a request on HTTP/2, and returns its answer, of which short values can be read. */
    private String http2(byte[]... fields) {
        var block = new ByteArrayOutputStream();
        for (byte[] field : fields) {
            block.writeBytes(field);
        }
        byte[] request =
                Http2Frames.connection()
                        .frame(HEADERS, END_STREAM | END_HEADERS, 1, block.toByteArray())
                        .toBytes();
        try (var connection = RawConnection.open(pod.process().port(), request)) {
            Http2Frames.await(
                    connection,
                    frame -> frame.stream() == 1 && (frame.flags() & END_STREAM) != 0,
                    1);
            return connection.text();
        }
    }

    @Test
    void encodedRoomName_isReadAsBefore() {
        TestRoom room = pod.newRoom();
        room.publish("hi");
        String encoded = "%" + Integer.toHexString(room.name().charAt(0)).toLowerCase(Locale.ROOT);

        String answer = get("GET", "/rooms/" + encoded + room.name().substring(1) + "/messages");

        assertThat(answer).startsWith("HTTP/1.1 200 ").contains("\"text\":\"hi\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://chat.example/favicon.svg", "HTTP://CHAT.example:80/"})
    void absoluteTargetOfThisHost_isAccepted(String target) {
        assertThat(get("GET", target)).startsWith("HTTP/1.1 200 ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Origin: https://chat.example\r\n"})
    void optionsOfTheServer_areItsMethods(String headers) {
        assertThat(get("OPTIONS", "*", headers))
                .startsWith("HTTP/1.1 200 ")
                .containsIgnoringCase("\r\nallow: GET, HEAD, POST, OPTIONS\r\n")
                .containsIgnoringCase("\r\nvary: Origin\r\n")
                .containsIgnoringCase("\r\nx-content-type-options: nosniff\r\n")
                .containsIgnoringCase("\r\ncache-control: no-store\r\n")
                .containsIgnoringCase("\r\ncontent-length: 0\r\n");
    }

    @Test
    void optionsOfTheServer_needAHostToo() {
        try (RawConnection connection =
                RawConnection.open(
                        pod.process().port(),
                        "OPTIONS * HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII))) {
            connection.readToEnd();

            assertThat(connection.text())
                    .startsWith("HTTP/1.1 400 ")
                    .contains("bad request: the Host header is missing");
        }
    }

    @Test
    void optionsOfTheServer_areAnsweredOnHttp2() {
        String answer =
                http2(
                        Http2Frames.field(":method", "OPTIONS"),
                        Http2Frames.field(":scheme", "http"),
                        Http2Frames.field(":authority", "chat.example"),
                        Http2Frames.field(":path", "*"));

        assertThat(answer).contains("GET, HEAD, POST, OPTIONS").doesNotContain("not found");
    }
}
