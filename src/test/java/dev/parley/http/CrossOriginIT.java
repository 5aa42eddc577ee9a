package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SharedPod;
import dev.parley.testsupport.SseReader;
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
            assertThat(strict.log()).doesNotContain("quarkus.http.cors.origins");
        }
    }

    @Test
    void originOutsideTheAllowList_isRefused() {
        try (ParleyProcess strict =
                ParleyProcess.builder()
                        .config("quarkus.http.cors.origins", "https://chat.example")
                        .start()
                        .awaitReady()) {
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
}
