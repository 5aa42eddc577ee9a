package dev.parley.access;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SseReader;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A token in a cookie: of which requests it counts. */
class CookieIT {

    private static final String APP = "https://app.example";

    private static ParleyProcess pod;
    private static String cookie;

    @BeforeAll
    static void startPod() {
        pod = AccessPods.builder().config("quarkus.http.cors.origins", APP).start();
        cookie = "__Host-parley=" + AccessPods.tokenFor("cookies").signed();
    }

    @AfterAll
    static void stopPod() {
        pod.close();
    }

    @Test
    void cookie_opensAStream_andReadsTheHistory() {
        Http http = new Http(pod.uri()).with("Cookie", cookie);
        try (SseReader reader =
                SseReader.to(pod.uri("/events?room=cookies")).header("Cookie", cookie).open()) {
            assertThat(reader.awaitLastEventId().status()).isEqualTo(200);
        }
        assertThat(http.get("/rooms/cookies/messages").status()).isEqualTo(200);
        assertThat(http.get("/rooms/other/messages").status()).isEqualTo(403);
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "-, -, 403",
                "https://evil.example, -, 403",
                "https://evil.example, cross-site, 403",
                "http://127.0.0.1:PORT, same-site, 403",
                "-, cross-site, 403",
                "-, same-site, 403",
                "-, none, 403",
                "null, -, 403",
                "https://app.example.evil, -, 403",
                "-, same-origin, 200",
                "http://127.0.0.1:PORT, -, 200",
                "http://127.0.0.1:PORT, same-origin, 200",
                "https://app.example, cross-site, 200",
                "https://app.example, -, 200"
            })
    void cookie_publishes_onlyForPagesOfThisOriginAndOfThoseThatAreNamed(
            String origin, String site, int status) {
        Http http = new Http(pod.uri()).with("Cookie", cookie);
        if (origin != null) {
            http = http.with("Origin", origin.replace("PORT", Integer.toString(pod.port())));
        }
        if (site != null) {
            http = http.with("Sec-Fetch-Site", site);
        }

        assertThat(http.sendForm("x", "room", "cookies").status()).isEqualTo(status);
    }

    @Test
    void bearerToken_takesPrecedence_andNeedsNoOrigin() {
        Http http =
                AccessPods.with(pod, AccessPods.tokenFor("bearer").signed()).with("Cookie", cookie);

        assertThat(http.sendForm("x", "room", "bearer").status()).isEqualTo(200);
        assertThat(http.sendForm("x", "room", "cookies").status()).isEqualTo(403);
    }

    @Test
    void cookie_givesNoTicket() {
        Http http =
                new Http(pod.uri()).with("Cookie", cookie).with("Sec-Fetch-Site", "same-origin");

        assertThat(http.post("/tickets", "application/x-www-form-urlencoded", "").status())
                .isEqualTo(401);
    }

    @Test
    void cookieOfAnotherName_doesNotCount() {
        Http http = new Http(pod.uri()).with("Cookie", cookie.replace("__Host-", ""));

        assertThat(http.get("/rooms/cookies/messages").status()).isEqualTo(401);
    }

    @Test
    void cookie_isRefused_whileAnyPageMayUseThePod() {
        try (ParleyProcess open = AccessPods.builder().start()) {
            Http http =
                    new Http(open.uri())
                            .with("Cookie", cookie)
                            .with("Accept", "application/json, text/event-stream");

            Http.Answer answer = http.get("/rooms/cookies/messages");

            assertThat(answer.status()).isEqualTo(403);
            assertThat(answer.json().get("detail").asText()).contains("quarkus.http.cors.origins");
        }
    }
}
