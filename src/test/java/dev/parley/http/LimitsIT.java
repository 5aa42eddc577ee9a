package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/**
 * A client above a limit is refused so that it tries again later: a stream gets {@code event:
 * goodbye}, a publish gets 429.
 */
final class LimitsIT {

    private static final String GOODBYE = "{\"reason\":\"limit\"}";

    /** A pod with one stream for each address. Each test has addresses of its own. */
    @AutoClose
    private static final ParleyProcess oneEach =
            ParleyProcess.builder().config("parley.limits.connections-per-address", "1").start();

    @Test
    void streamAboveThePodsLimit_getsGoodbye_andReconnectsWhenAnotherLeaves() {
        try (var pod =
                        ParleyProcess.builder()
                                .config("parley.limits.connections", "2")
                                .quickReconnect()
                                .start();
                var one = SseReader.open(pod.uri("/events")).awaitConnected();
                var two = SseReader.open(pod.uri("/events")).awaitConnected();
                var three = SseReader.to(pod.uri("/events")).reconnecting().open()) {
            one.awaitLastEventId();
            two.awaitLastEventId();

            assertThat(three.awaitEvent("goodbye").data()).isEqualTo(GOODBYE);
            assertThat(three.status()).isEqualTo(200);

            one.close();
            three.awaitLastEventId();
            new Http(pod.uri()).sendForm("for both");
            two.awaitData("for both");
            three.awaitData("for both");
            assertThat(new Metrics(pod).page())
                    .contains("parley_connection_limit 2.0")
                    .contains("parley_connected_clients 2.0")
                    .containsPattern("parley_disconnects_total\\{reason=\"limit\"} [1-9]");
        }
    }

    @Test
    void oneAddress_cannotTakeAllStreams() {
        try (var first = open("/events", "127.0.0.2")) {
            first.awaitLastEventId();

            try (var refused = open("/events", "127.0.0.2");
                    var elsewhere = open("/events", "127.0.0.3")) {
                assertThat(refused.awaitEvent("goodbye").data()).isEqualTo(GOODBYE);
                elsewhere.awaitLastEventId();
                refused.awaitClosed();
                assertThat(refused.cleanEnds()).isEqualTo(1);
            }
        }
    }

    @Test
    void clock_countsAsAStream() {
        try (var clock = open("/clock", "127.0.0.4")) {
            clock.await("time", reader -> !reader.data().isEmpty());

            try (var second = open("/clock", "127.0.0.4")) {
                assertThat(second.awaitEvent("goodbye").data()).isEqualTo(GOODBYE);
                assertThat(second.status()).isEqualTo(200);
            }
            clock.close();
            Timeouts.await("a stream, once the clock has left")
                    .until(
                            () -> {
                                try (var reader = open("/clock", "127.0.0.4")) {
                                    reader.await("an event", r -> !r.events().isEmpty());
                                    return reader.events("goodbye").isEmpty();
                                }
                            });
        }
    }

    private static SseReader open(String path, String from) {
        return SseReader.to(oneEach.uri(path)).from(RawConnection.address(from)).open();
    }

    @Test
    void clientBehindTrustedProxy_isCountedByItsForwardedAddress() {
        try (var pod =
                        ParleyProcess.builder()
                                .config("parley.limits.connections-per-address", "1")
                                .config("quarkus.http.proxy.proxy-address-forwarding", "true")
                                .config("quarkus.http.proxy.allow-x-forwarded", "true")
                                .config("quarkus.http.proxy.trusted-proxies", "127.0.0.1")
                                .start();
                var ada = forwarded(pod, "203.0.113.1");
                var adaAgain = forwarded(pod, "203.0.113.1");
                var bob = forwarded(pod, "203.0.113.2")) {
            awaitOneGoodbye(ada, adaAgain);
            bob.awaitLastEventId();
        }
    }

    @Test
    void brokenForwardedHeaders_areAnsweredAndNotLogged() {
        try (var pod =
                ParleyProcess.builder()
                        .config("quarkus.http.proxy.proxy-address-forwarding", "true")
                        .config("quarkus.http.proxy.allow-forwarded", "true")
                        .config("quarkus.http.proxy.allow-x-forwarded", "true")
                        .config("quarkus.http.proxy.trusted-proxies", "127.0.0.1")
                        .start()
                        .awaitReady()) {
            String log = pod.log();
            for (String line : brokenForwardedHeaders()) {
                String answer =
                        new Http(pod.uri())
                                .raw(
                                        "POST /send?msg=a HTTP/1.1\r\nHost: x\r\n"
                                                + line
                                                + "\r\n"
                                                + "X-Forwarded-Trusted-Proxy: true\r\n"
                                                + "Connection: close\r\n\r\n");
                assertThat(answer).as(line).startsWith("HTTP/1.1 200 ");
            }
            assertThat(pod.log()).isEqualTo(log);
        }
    }

    private static List<String> brokenForwardedHeaders() {
        return Stream.of("X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto", "Forwarded")
                .flatMap(
                        name ->
                                Stream.of("", ":", "[", "[::1]:x", "1.2.3.4:99999", ",", "unknown")
                                        .map(value -> name + ": " + value))
                .toList();
    }

    @Test
    void forwardedAddressFromUntrustedProxy_isIgnored() {
        try (var first = forwarded(oneEach, "203.0.113.1");
                var second = forwarded(oneEach, "203.0.113.2")) {
            awaitOneGoodbye(first, second);
        }
    }

    @Test
    void publisherAboveItsRate_gets429WithRetryAfter() {
        try (var pod =
                ParleyProcess.builder()
                        .config("parley.publish.rate", "1")
                        .config("parley.publish.burst", "2")
                        .start()) {
            var http = new Http(pod.uri());
            assertThat(http.sendForm("a").status()).isEqualTo(200);

            // On any machine two of these requests arrive within a second.
            Http.Answer answer =
                    Timeouts.await("refusal")
                            .until(
                                    () -> http.with("Accept", "application/json").sendForm("b"),
                                    each -> each.status() != 200);

            assertThat(answer.status()).isEqualTo(429);
            assertThat(answer.header("Retry-After")).isEqualTo("1");
            assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
            assertThat(answer.body()).contains("\"code\":\"too-many-requests\"");
            assertThat(new Metrics(pod).page())
                    .containsPattern("parley_messages_published_total\\{result=\"limited\"} [1-9]");
        }
    }

    @Test
    void oldStream_isRotatedAndResumesWithoutLoss() {
        try (var pod =
                        ParleyProcess.builder()
                                .config("parley.events.max-connection-age", "1S")
                                .quickReconnect()
                                .start();
                var reader = SseReader.to(pod.uri("/events")).reconnecting().open()) {
            reader.awaitLastEventId();
            var http = new Http(pod.uri());
            http.sendForm("before");
            assertThat(reader.awaitEvent("goodbye").data()).isEqualTo("{\"reason\":\"rotation\"}");
            http.sendForm("between");

            reader.await("both", r -> r.data().size() == 2);
            assertThat(reader.data()).containsExactly("before", "between");
            assertThat(reader.events("gap")).isEmpty();
        }
    }

    @Test
    void publishThatNeverArrivesCompletely_gets408() {
        try (var pod =
                ParleyProcess.builder().config("parley.publish.request-timeout", "1S").start()) {
            String answer =
                    new Http(pod.uri())
                            .raw(
                                    """
                                    POST /send HTTP/1.1\r
                                    Host: localhost\r
                                    Content-Type: text/plain\r
                                    Content-Length: 100\r
                                    Connection: close\r
                                    \r
                                    only a part""");

            assertThat(answer).startsWith("HTTP/1.1 408 ").contains("\r\n\r\nrequest too slow: ");
        }
    }

    /** Such an exchange lasts as long as the stream, as it does on HTTP/2. */
    @Test
    void streamThatIsAskedForByAForm_lastsLongerThanARequestMay() {
        try (var pod =
                        ParleyProcess.builder()
                                .config("parley.publish.request-timeout", "3S")
                                .config("parley.events.heartbeat", "200MS")
                                .start();
                var stream =
                        RawConnection.open(
                                pod.port(),
                                """
                                POST /events HTTP/1.1\r
                                Host: localhost\r
                                Content-Type: application/x-www-form-urlencoded\r
                                Content-Length: 10\r
                                Connection: close\r
                                \r
                                room=lobby"""
                                        .getBytes(StandardCharsets.US_ASCII))) {
            boolean lasted =
                    stream.readUntil(
                            text -> text.lines().filter(line -> line.equals(":")).count() >= 20);

            assertThat(new Http(pod.uri()).sendForm("hello").status()).isEqualTo(200);
            stream.await("data: hello\n");
            assertThat(lasted).as("four seconds").isTrue();
            assertThat(stream.text()).startsWith("HTTP/1.1 200 OK\r\n").doesNotContain("408");
        }
    }

    private static SseReader forwarded(ParleyProcess pod, String address) {
        return SseReader.to(pod.uri("/events")).header("X-Forwarded-For", address).open();
    }

    private static void awaitOneGoodbye(SseReader... readers) {
        Timeouts.await("one goodbye")
                .until(
                        () ->
                                Stream.of(readers)
                                        .flatMap(reader -> reader.events("goodbye").stream()),
                        goodbyes -> goodbyes.count() == 1);
    }
}
