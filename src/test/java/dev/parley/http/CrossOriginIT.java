package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.Http2Frames;
import dev.parley.testsupport.HttpAnswer;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.SharedPod;
import dev.parley.testsupport.SseReader;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A page of another origin publishes and subscribes: one from another site, or one opened from a
 * file, whose origin is {@code null}.
 */
@ExtendWith(SharedPod.Extension.class)
class CrossOriginIT {

    private static final String ALLOW_ORIGIN = "Access-Control-Allow-Origin";

    private final ParleyProcess pod;

    CrossOriginIT(SharedPod shared) {
        pod = shared.process();
    }

    private Http pageOf(String origin) {
        return new Http(pod.uri()).with("Origin", origin);
    }

    /** The elements of a list header, in lower case. */
    private static List<String> list(Answer answer, String header) {
        return Arrays.stream(answer.header(header).split(","))
                .map(element -> element.strip().toLowerCase(Locale.ROOT))
                .toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "http://elsewhere.example", "https://elsewhere.example:8443"})
    void pageOfAnyOrigin_publishesWithoutCredentials(String origin) {
        Answer answer = pageOf(origin).post("/send", "text/plain;charset=UTF-8", "msg=hi");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.header(ALLOW_ORIGIN)).isIn(origin, "*");
        assertThat(answer.header("Access-Control-Allow-Credentials")).isNotEqualTo("true");
        assertThat(list(answer, "Access-Control-Expose-Headers"))
                .contains("event-id", "retry-after");
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "http://elsewhere.example"})
    void pageOfAnyOrigin_readsTheErrorOfAPublish(String origin) {
        Answer answer = pageOf(origin).post("/send", "text/plain;charset=UTF-8", "");

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.header(ALLOW_ORIGIN)).isIn(origin, "*");
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "http://elsewhere.example"})
    void pageOfAnyOrigin_readsARefusalThatComesBeforeTheFilters(String origin) {
        Answer tooLarge = pageOf(origin).post("/send", "text/plain", "a".repeat(600_000));
        Answer tooLong = pageOf(origin).call("GET", "/clock?room=" + "a".repeat(5000));

        assertThat(tooLarge.status()).isEqualTo(413);
        assertThat(tooLong.status()).isEqualTo(414);
        for (Answer answer : List.of(tooLarge, tooLong)) {
            assertThat(answer.header(ALLOW_ORIGIN)).isIn(origin, "*");
            assertThat(list(answer, "Access-Control-Expose-Headers")).contains("retry-after");
            assertThat(list(answer, "Vary")).contains("origin");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "http://elsewhere.example"})
    void pageOfAnyOrigin_subscribes(String origin) {
        try (SseReader reader =
                SseReader.to(pod.uri("/events"))
                        .header("Origin", origin)
                        .open()
                        .awaitConnected()
                        .awaitLastEventId()) {
            assertThat(reader.header(ALLOW_ORIGIN)).isIn(origin, "*");
            assertThat(reader.headers().get(ALLOW_ORIGIN)).hasSize(1);
            assertThat(reader.header("Content-Type")).isEqualTo("text/event-stream;charset=utf-8");

            pageOf(origin).post("/send", "text/plain;charset=UTF-8", "msg=hello+there");

            reader.awaitData("hello there");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "null, POST, /send, 'content-type,idempotency-key'",
        "http://elsewhere.example, POST, /send, 'authorization,content-type,idempotency-key'",
        "null, GET, /events, last-event-id",
        "http://elsewhere.example, GET, /events, 'authorization,last-event-id'",
        "http://elsewhere.example, POST, /tickets, 'authorization,content-type'",
        "null, GET, /rooms/lobby/messages, authorization",
        "null, HEAD, /rooms/lobby/messages, authorization",
        "http://elsewhere.example, HEAD, /rooms/lobby/messages, cache-control",
        "null, GET, /events, 'cache-control,last-event-id,x-requested-with'",
        "http://elsewhere.example, GET, /events, 'accept,cache-control,pragma'",
        "http://elsewhere.example, POST, /send, 'content-type,x-requested-with'",
        "http://elsewhere.example, POST, /send, 'content-encoding,content-type'"
    })
    void preflight_allowsTheMethodsAndHeadersOfTheCalls(
            String origin, String method, String path, String headers) {
        Answer answer =
                pageOf(origin)
                        .with("Access-Control-Request-Method", method)
                        .with("Access-Control-Request-Headers", headers)
                        .call("OPTIONS", path);

        assertThat(answer.status()).isBetween(200, 204);
        assertThat(answer.header(ALLOW_ORIGIN)).isIn(origin, "*");
        assertThat(list(answer, "Access-Control-Allow-Methods"))
                .contains(method.toLowerCase(Locale.ROOT));
        assertThat(list(answer, "Access-Control-Allow-Headers"))
                .contains(headers.split(","))
                .contains("last-event-id", "idempotency-key", "content-type", "authorization");
        assertThat(answer.header("Access-Control-Max-Age")).isEqualTo("86400");
        assertThat(answer.header("Access-Control-Allow-Credentials")).isNotEqualTo("true");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/rooms/lobby/messages", "/rooms/-/messages", "/nothing"})
    void answer_variesByOrigin(String path) {
        Answer withOrigin = pageOf("https://elsewhere.example").get(path);
        Answer withoutOrigin = new Http(pod.uri()).get(path);

        assertThat(withOrigin.header(ALLOW_ORIGIN)).isEqualTo("https://elsewhere.example");
        assertThat(list(withOrigin, "Vary")).contains("origin");
        assertThat(list(withoutOrigin, "Vary")).contains("origin");
    }

    @Test
    void stream_variesByOrigin() {
        try (SseReader reader = SseReader.open(pod.uri("/events"))) {
            assertThat(reader.headers().get("Vary")).containsExactly("Origin");
        }
    }

    @Test
    void requestWithoutOrigin_isAnsweredWithoutCorsHeaders() {
        Answer answer = new Http(pod.uri()).sendForm("hi");

        assertThat(answer.headers().map().keySet())
                .noneMatch(name -> name.toLowerCase(Locale.ROOT).startsWith("access-control-"));
    }

    @Test
    void podThatEveryPageMayUse_saysSoWhenItStarts() {
        assertThat(pod.log().lines().filter(line -> line.contains("quarkus.http.cors.origins")))
                .singleElement()
                .asString()
                .contains("INFO  [dev.parley.http.OpenToAllPages]");
    }

    @Test
    void podWithAnAsteriskAmongOtherOrigins_saysThatItHasNoEffect() {
        try (ParleyProcess listed =
                ParleyProcess.builder()
                        .config("quarkus.http.cors.origins", "https://partner.example, *")
                        .start()
                        .awaitReady()) {
            assertThat(listed.log()).contains("WARN  [dev.parley.http.OpenToAllPages]");
            Http page = new Http(listed.uri()).with("Origin", "https://elsewhere.example");
            assertThat(page.sendForm("hi").status()).isEqualTo(403);
        }
    }

    @Test
    void ownPageBehindAProxyThatEndsTls_isNotOfAnotherOrigin() {
        try (ParleyProcess strict =
                ParleyProcess.builder()
                        .config("quarkus.http.cors.origins", "https://partner.example")
                        .config("quarkus.http.proxy.proxy-address-forwarding", "true")
                        .config("quarkus.http.proxy.trusted-proxies", "127.0.0.1")
                        .start()
                        .awaitReady()) {
            Http proxied = new Http(strict.uri()).with("X-Forwarded-Proto", "https");
            String host = strict.uri().getAuthority();

            assertThat(proxied.with("Origin", "https://" + host).sendForm("hi").status())
                    .isEqualTo(200);
            assertThat(proxied.with("Origin", "https://elsewhere.example").sendForm("hi").status())
                    .isEqualTo(403);
            String withoutHost =
                    "X-Forwarded-Proto: https\r\nOrigin: https://elsewhere.example\r\n";
            assertThat(send(strict, "POST /send HTTP/1.0", withoutHost).status()).isEqualTo(403);
            assertThat(send(strict, "POST /send HTTP/1.1", withoutHost).status()).isEqualTo(400);
            assertThat(strict.log()).doesNotContain("quarkus.http.cors.origins", "defect");
        }
    }

    /** Starts a pod that lets pages of https://chat.example in, beside its own. */
    private static ParleyProcess podForPagesOfOneOrigin() {
        return ParleyProcess.builder()
                .config("quarkus.http.cors.origins", "https://chat.example")
                .start()
                .awaitReady();
    }

    @Test
    void originOutsideTheAllowList_isRefused() {
        try (ParleyProcess strict = podForPagesOfOneOrigin()) {
            Http http = new Http(strict.uri());

            Answer ours = http.with("Origin", "https://chat.example").sendForm("hi");
            Answer others = http.with("Origin", "https://elsewhere.example").sendForm("hi");

            assertThat(ours.status()).isEqualTo(200);
            assertThat(ours.header(ALLOW_ORIGIN)).isEqualTo("https://chat.example");
            assertThat(others.status()).isEqualTo(403);
            assertThat(others.header(ALLOW_ORIGIN)).isEmpty();
            assertThat(list(others, "Vary")).contains("origin");
        }
    }

    /**
     * The framework compares the hosts of two URIs, and fails if the one of the request has none.
     * "_" is in no hostname, but nginx sends the name of its upstream, which may have one.
     */
    @Test
    void originThatCannotBeComparedWithTheHost_isOutsideTheAllowList() {
        try (ParleyProcess strict = podForPagesOfOneOrigin()) {
            String foreign = "Origin: http://elsewhere.example\r\n";

            for (String host : List.of("Host: a_b\r\n", "Host: a_b:8080\r\n")) {
                assertThat(send(strict, "POST /send HTTP/1.1", host + foreign).status())
                        .isEqualTo(403);
                assertThat(send(strict, "GET /events HTTP/1.1", host + foreign).status())
                        .isEqualTo(403);
                assertThat(send(strict, "OPTIONS /send HTTP/1.1", host + foreign).status())
                        .isEqualTo(403);
            }
            assertThat(send(strict, "POST /send HTTP/1.0", foreign).status()).isEqualTo(403);
            String zero = "Host: a_b:08080\r\nOrigin: http://a_b:8080\r\n";
            assertThat(send(strict, "POST /send HTTP/1.1", zero).status()).isEqualTo(403);
            HttpAnswer refused = send(strict, "POST /send HTTP/1.1", "Host: a_b\r\n" + foreign);
            assertThat(refused.header(ALLOW_ORIGIN)).isEmpty();
            assertThat(refused.header("Vary")).isEqualTo("Origin");

            for (String origin : List.of("http://my_host:8080", "https://chat.example")) {
                String headers = "Host: my_host:8080\r\nOrigin: " + origin + "\r\n";
                HttpAnswer published = send(strict, "POST /send HTTP/1.1", headers);
                assertThat(published.status()).isEqualTo(200);
                assertThat(published.header(ALLOW_ORIGIN)).isEqualTo(origin);
            }
            assertThat(strict.log()).doesNotContain("defect", "Unhandled exception");
        }
    }

    @Test
    void refusalOfARequest_whoseOriginCannotBeCompared_staysTheSame() {
        try (ParleyProcess strict = podForPagesOfOneOrigin()) {
            String foreign = "Origin: http://elsewhere.example\r\n";

            for (String host : List.of("", "Host: a b\r\n")) {
                HttpAnswer answer = sendAndAwaitEnd(strict, "POST /send HTTP/1.1", host + foreign);
                assertThat(answer.status()).isEqualTo(400);
                assertThat(answer.text()).startsWith("bad request: ");
            }
            for (String line : List.of("POST //send HTTP/1.1", "GET /clock|x HTTP/1.1")) {
                HttpAnswer answer = sendAndAwaitEnd(strict, line, "Host: a_b\r\n" + foreign);
                assertThat(answer.status()).isEqualTo(400);
                assertThat(answer.text()).startsWith("bad ");
            }
            HttpAnswer options =
                    sendAndAwaitEnd(
                            strict, "OPTIONS * HTTP/1.1", "Host: chat.example\r\n" + foreign);
            assertThat(options.status()).isEqualTo(403);
            assertThat(connectByHttp2(strict, "http://elsewhere.example"))
                    .contains("bad target: CONNECT is for proxies only");
            assertThat(strict.log()).doesNotContain("defect", "Unhandled exception");
        }
    }

    /** Sends the form {@code msg=hi} and these headers. */
    private static HttpAnswer send(ParleyProcess pod, String requestLine, String headers) {
        try (RawConnection connection = open(pod, requestLine, headers)) {
            connection.readAnswer();
            return connection.answer();
        }
    }

    /** Sends the same, and waits until the server closes the connection. */
    private static HttpAnswer sendAndAwaitEnd(
            ParleyProcess pod, String requestLine, String headers) {
        try (RawConnection connection = open(pod, requestLine, headers)) {
            connection.readToEnd();
            return connection.answer();
        }
    }

    private static RawConnection open(ParleyProcess pod, String requestLine, String headers) {
        String request =
                requestLine
                        + "\r\n"
                        + headers
                        + "Content-Type: application/x-www-form-urlencoded\r\n"
                        + "Content-Length: 6\r\n\r\nmsg=hi";
        return RawConnection.open(pod.port(), request.getBytes(StandardCharsets.US_ASCII));
    }

    private static String connectByHttp2(ParleyProcess pod, String origin) {
        var block = new ByteArrayOutputStream();
        block.writeBytes(Http2Frames.field(":method", "CONNECT"));
        block.writeBytes(Http2Frames.field(":authority", "chat.example:80"));
        block.writeBytes(Http2Frames.field("origin", origin));
        byte[] request = Http2Frames.connection().request(1, block.toByteArray()).toBytes();
        try (RawConnection connection = RawConnection.open(pod.port(), request)) {
            Http2Frames.await(
                    connection,
                    frame -> frame.stream() == 1 && (frame.flags() & Http2Frames.END_STREAM) != 0,
                    1);
            return connection.text();
        }
    }

    /** A last slash is easily copied from the browser's address line. */
    @Test
    void listedOriginThatNoBrowserSends_isLogged() {
        try (ParleyProcess strict =
                ParleyProcess.builder()
                        .config(
                                "quarkus.http.cors.origins",
                                "https://chat.example/, https://other.example")
                        .start()
                        .awaitReady()) {
            Http http = new Http(strict.uri());

            strict.awaitLog(
                    "quarkus.http.cors.origins has https://chat.example/, which lets no page in");
            assertThat(http.with("Origin", "https://chat.example").sendForm("hi").status())
                    .isEqualTo(403);
            assertThat(http.with("Origin", "https://other.example").sendForm("hi").status())
                    .isEqualTo(200);
            assertThat(strict.log()).doesNotContain("has https://other.example");
        }
    }

    @Test
    void listedOriginWithCapitalLetters_letsItsPageIn() {
        try (ParleyProcess strict =
                ParleyProcess.builder()
                        .config("quarkus.http.cors.origins", "https://Chat.Example")
                        .start()
                        .awaitReady()) {
            Answer ours =
                    new Http(strict.uri()).with("Origin", "https://chat.example").sendForm("hi");

            assertThat(ours.status()).isEqualTo(200);
            assertThat(ours.header(ALLOW_ORIGIN)).isEqualTo("https://chat.example");
        }
    }
}
