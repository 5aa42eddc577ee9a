package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An operator whose proxy is not trusted reads in the log why its clients meet a limit. */
class ProxyAdviceIT {

    private static final String SETTING = "quarkus.http.proxy.trusted-proxies";

    @Test
    void untrustedProxyThatMeetsALimit_isNamedOnce() {
        try (ParleyProcess pod = pod().start().awaitReady()) {
            Http proxy = new Http(pod.uri()).with("X-Forwarded-For", "203.0.113.9");
            proxy.get("/rooms/a/messages");
            pod.awaitLog("127.0.0.1 sends X-Forwarded-For but is not a trusted proxy");

            publishUntilRefused(proxy);

            pod.awaitLog("parley.publish.rate was met by 127.0.0.1");
            assertThat(pod.log()).contains(SETTING);
            assertThat(count(pod.log(), "was met by")).isEqualTo(1);
            assertThat(count(pod.log(), "127.0.0.1 sends X-Forwarded-For")).isEqualTo(1);
        }
    }

    @Test
    void streamsThroughAnUntrustedProxy_areNamed() {
        try (ParleyProcess pod =
                pod().config("parley.limits.connections-per-address", "1").start().awaitReady()) {
            try (var first = SseReader.open(pod.uri("/events"))) {
                first.awaitLastEventId();
                String answer =
                        new Http(pod.uri())
                                .raw(
                                        String.join(
                                                "\r\n",
                                                "GET /events HTTP/1.0",
                                                "Host: x",
                                                "Connection: close",
                                                "Forwarded: for=203.0.113.9",
                                                "",
                                                ""));
                assertThat(answer).contains("event: goodbye", "limit");
            }

            pod.awaitLog("parley.limits.connections-per-address was met by 127.0.0.1");
        }
    }

    @Test
    void roomsThroughAnUntrustedProxy_areNamed() {
        try (ParleyProcess pod =
                pod().config("parley.limits.rooms-per-address", "2").start().awaitReady()) {
            String answer =
                    new Http(pod.uri())
                            .raw(
                                    """
                                    GET /events?room=a&room=b&room=c&format=json HTTP/1.0\r
                                    X-Forwarded-For: 203.0.113.9\r
                                    \r
                                    """);

            assertThat(answer).contains("event: goodbye", "limit");
            pod.awaitLog("parley.limits.rooms-per-address was met by 127.0.0.1, which sends");
        }
    }

    /** A head is counted when it is complete, and before. */
    @ParameterizedTest
    @CsvSource({"true, which sends X-Forwarded-For", "false, : all its clients count as one"})
    void headsThroughAnUntrustedProxy_areNamed(boolean complete, String text) {
        try (ParleyProcess pod =
                        pod().config("parley.limits.head-bytes", "64K").start().awaitReady();
                RawConnection connection =
                        RawConnection.open(
                                pod.port(),
                                ("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.9\r\n"
                                                + "a: b\r\n".repeat(200)
                                                + (complete ? "\r\n" : ""))
                                        .getBytes(StandardCharsets.US_ASCII))) {
            connection.readToEnd();

            pod.awaitLog("parley.limits.head-bytes was met by 127.0.0.1");
            assertThat(pod.log()).contains(text);
        }
    }

    @Test
    void clientWithoutAProxy_isNotNamed() {
        try (ParleyProcess pod = pod().start().awaitReady()) {
            Http client = new Http(pod.uri());

            publishUntilRefused(client);

            assertThat(pod.log()).doesNotContain("was met by", SETTING);
        }
    }

    @Test
    void trustedProxy_isNotNamed() {
        try (ParleyProcess pod =
                pod().config("quarkus.http.proxy.proxy-address-forwarding", "true")
                        .config(SETTING, "127.0.0.1")
                        .config("parley.limits.sockets-per-address", "1")
                        .start()
                        .awaitReady()) {
            Http proxy = new Http(pod.uri()).with("X-Forwarded-For", "203.0.113.9");

            publishUntilRefused(proxy);

            // Its connections are those of many clients: the limit of one address is not for it.
            try (var one = SseReader.open(pod.uri("/events"));
                    var two = SseReader.open(pod.uri("/events"))) {
                one.awaitLastEventId();
                two.awaitLastEventId();
            }
            assertThat(pod.log()).doesNotContain("was met by", "trusted proxy");
        }
    }

    /** Ends with the refusal, however long a request takes. */
    private static void publishUntilRefused(Http client) {
        Timeouts.await("a refusal").until(() -> client.sendForm("hello").status() == 429);
    }

    private static ParleyProcess.Builder pod() {
        return ParleyProcess.builder()
                .config("parley.publish.rate", "1")
                .config("parley.publish.burst", "1");
    }

    private static long count(String log, String text) {
        return Pattern.compile(Pattern.quote(text)).matcher(log).results().count();
    }
}
