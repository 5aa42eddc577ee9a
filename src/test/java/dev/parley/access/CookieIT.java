package dev.parley.access;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http2Frames;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A token in a cookie: of which requests it counts. */
class CookieIT {

    private static final String APP = "https://app.example";

    private static ParleyProcess pod;

    /** Behind a proxy that is trusted. */
    private static ParleyProcess proxied;

    private static String cookie;

    @BeforeAll
    static void startPod() {
        pod =
                AccessPods.builder()
                        .config("quarkus.http.cors.origins", "https://other.example , " + APP)
                        .start();
        proxied =
                AccessPods.builder()
                        .config("quarkus.http.cors.origins", APP)
                        .config("quarkus.http.proxy.proxy-address-forwarding", "true")
                        .config("quarkus.http.proxy.trusted-proxies", "127.0.0.1")
                        .start();
        cookie = "__Host-parley=" + AccessPods.tokenFor("cookies").signed();
    }

    @AfterAll
    static void stopPod() {
        pod.close();
        proxied.close();
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

    @Test
    void renewedCookie_continuesTheStream_whereTheFormerOneEnded() {
        Http publisher = AccessPods.with(pod, AccessPods.tokenFor("renewed").signed());
        var received = new ArrayList<String>();
        int sent = 0;
        String last = "";
        for (int renewal = 0; renewal < 3; renewal++) {
            String brief =
                    "__Host-parley="
                            + AccessPods.tokenFor("renewed")
                                    .claim("exp", Instant.now().getEpochSecond() + 4)
                                    .signed();
            var opening = SseReader.to(pod.uri("/events?room=renewed")).header("Cookie", brief);
            if (!last.isEmpty()) {
                opening.lastEventId(last);
            }
            try (SseReader reader = opening.open()) {
                reader.awaitLastEventId();
                long deadline = System.nanoTime() + Timeouts.LIMIT.toNanos();
                while (!reader.closed()) {
                    publisher.sendForm(Integer.toString(++sent), "room", "renewed");
                    assertThat(System.nanoTime()).as("the end in time").isLessThan(deadline);
                }
                assertThat(reader.awaitEvent("goodbye").data())
                        .isEqualTo("{\"reason\":\"expired\"}");
                assertThat(reader.events("gap")).isEmpty();
                last = reader.lastEventId();
                received.addAll(reader.data());
            }
        }
        // Also what was published after the last stream had ended.
        String cookieForLonger = "__Host-parley=" + AccessPods.tokenFor("renewed").signed();
        try (SseReader reader =
                SseReader.to(pod.uri("/events?room=renewed"))
                        .header("Cookie", cookieForLonger)
                        .lastEventId(last)
                        .open()) {
            publisher.sendForm(Integer.toString(++sent), "room", "renewed");
            reader.awaitData(Integer.toString(sent));
            received.addAll(reader.data());
        }

        assertThat(received)
                .isEqualTo(IntStream.rangeClosed(1, sent).mapToObj(Integer::toString).toList());
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

    /**
     * Behind a proxy that ends TLS, the framework must not see the origin of the page. A browser
     * that sends no Sec-Fetch-Site says by that header alone which page it is.
     */
    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "https://127.0.0.1:PORT, -, 200",
                "https://127.0.0.1:PORT, same-origin, 200",
                "https://127.0.0.1:PORT, same-site, 403",
                "https://evil.example, -, 403",
                "-, -, 403"
            })
    void behindAProxyThatEndsTls_cookiePublishesForPagesOfThisOrigin(
            String origin, String site, int status) {
        Http http =
                new Http(proxied.uri()).with("Cookie", cookie).with("X-Forwarded-Proto", "https");
        if (origin != null) {
            http = http.with("Origin", origin.replace("PORT", Integer.toString(proxied.port())));
        }
        if (site != null) {
            http = http.with("Sec-Fetch-Site", site);
        }

        assertThat(http.sendForm("x", "room", "cookies").status()).isEqualTo(status);
    }

    @Test
    void withoutCors_theRulesOfCookiesAreTheSame() {
        try (ParleyProcess without =
                AccessPods.builder()
                        .config("quarkus.http.cors.origins", APP)
                        .config("quarkus.http.cors.enabled", "false")
                        .start()) {
            Http http = new Http(without.uri()).with("Cookie", cookie);
            String own = "http://127.0.0.1:" + without.port();

            assertThat(statusFor(http, own)).isEqualTo(200);
            assertThat(statusFor(http, APP)).isEqualTo(200);
            assertThat(statusFor(http, "http://127.0.0.1:1")).isEqualTo(403);
            assertThat(statusFor(http, "http://127.0.0.1")).isEqualTo(403);
            assertThat(statusFor(http, "http://localhost:" + without.port())).isEqualTo(403);
            assertThat(statusFor(http, APP + ".evil")).isEqualTo(403);
        }
    }

    private static int statusFor(Http http, String origin) {
        return http.with("Origin", origin).sendForm("x", "room", "cookies").status();
    }

    @Test
    void bearerToken_takesPrecedence_andNeedsNoOrigin() {
        Http http =
                AccessPods.with(pod, AccessPods.tokenFor("bearer").signed()).with("Cookie", cookie);

        assertThat(http.sendForm("x", "room", "bearer").status()).isEqualTo(200);
        assertThat(http.sendForm("x", "room", "cookies").status()).isEqualTo(403);
    }

    /** Each credential is for one room, which the status tells. */
    @ParameterizedTest
    @CsvSource({
        "bearer ticket cookie, held.bearer",
        "bearer cookie, held.bearer",
        "bearer ticket, held.bearer",
        "ticket cookie, held.ticket",
        "basic ticket cookie, held.ticket",
        "basic cookie, held.cookie",
        "basic bearer, none",
        "wrong-bearer ticket cookie, none",
        "wrong-ticket cookie, none"
    })
    void requestWithSeveralCredentials_countsByOne(String credentials, String permitted) {
        List<String> brought = List.of(credentials.split(" ", -1));
        Http http = new Http(pod.uri());
        String query = "";
        if (brought.contains("cookie")) {
            http = http.with("Cookie", "__Host-parley=" + held("cookie"));
        }
        if (brought.contains("basic")) {
            http = http.with("Authorization", "Basic Bearer " + held("bearer"));
        }
        if (brought.contains("bearer") && !brought.contains("basic")) {
            http = http.with("Authorization", "bEARER  " + held("bearer"));
        }
        if (brought.contains("wrong-bearer")) {
            http = http.with("Authorization", "Bearer " + held("bearer") + "x");
        }
        if (brought.contains("ticket")) {
            query = "&ticket=" + AccessPods.ticket(pod, held("ticket")) + "&ticket=unknown";
        }
        if (brought.contains("wrong-ticket")) {
            query = "&ticket=unknown&ticket=" + AccessPods.ticket(pod, held("ticket"));
        }
        for (String room : List.of("held.bearer", "held.ticket", "held.cookie")) {
            int refused =
                    credentials.startsWith("wrong") || credentials.equals("basic bearer")
                            ? 401
                            : 403;
            assertThat(http.call("HEAD", "/events?room=" + room + query).status())
                    .as(room)
                    .isEqualTo(room.equals(permitted) ? 200 : refused);
        }
    }

    private static String held(String carrier) {
        return AccessPods.tokenFor("held." + carrier).signed();
    }

    @Test
    void ticketInABody_doesNotCount_andOneInTheQueryDoes() {
        String ticket = AccessPods.ticket(pod, held("ticket"));
        String form = "application/x-www-form-urlencoded";
        Http http = new Http(pod.uri());

        assertThat(http.post("/events?ticket=" + ticket, form, "room=held.bearer").status())
                .isEqualTo(403);
        assertThat(http.post("/events", form, "room=held.ticket&ticket=" + ticket).status())
                .isIn(400, 401);
        assertThat(http.post("/revocations?ticket=" + ticket, form, "sub=ada").status())
                .isEqualTo(400);
        assertThat(http.call("HEAD", "/clock?ticket=" + ticket).status()).isEqualTo(400);
    }

    @Test
    void administratorsCookie_revokes_onlyForPagesOfThisOrigin() {
        String admin = TestTokens.token().claim("parley", Map.of("admin", true)).signed();
        Http http = new Http(pod.uri()).with("Cookie", "__Host-parley=" + admin);
        String form = "application/x-www-form-urlencoded";

        assertThat(
                        http.with("Sec-Fetch-Site", "cross-site")
                                .post("/revocations", form, "jti=unused")
                                .status())
                .isEqualTo(403);
        assertThat(
                        http.with("Sec-Fetch-Site", "same-origin")
                                .post("/revocations", form, "jti=unused")
                                .status())
                .isEqualTo(200);
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

    /** A neighbouring host can set it for the whole domain, unlike one with the prefix. */
    @Test
    void cookieWithACommaBeforeItsName_doesNotCount() {
        String ofEve = ",__Host-parley=" + AccessPods.tokenFor("eve").signed();
        Http alone = new Http(pod.uri()).with("Cookie", ofEve);
        Http beforeTheRightOne = new Http(pod.uri()).with("Cookie", ofEve + "; " + cookie);

        assertThat(alone.get("/rooms/eve/messages").status()).isEqualTo(401);
        assertThat(beforeTheRightOne.get("/rooms/eve/messages").status()).isEqualTo(403);
        assertThat(beforeTheRightOne.get("/rooms/cookies/messages").status()).isEqualTo(200);
    }

    @Test
    void cookie_counts_inAnyOfSeveralFields() {
        String request = "GET /rooms/cookies/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
        try (RawConnection http1 =
                RawConnection.open(
                        pod.port(),
                        (request + "Cookie: a=b\r\nCookie: " + cookie + "\r\n\r\n")
                                .getBytes(StandardCharsets.US_ASCII))) {
            http1.await("HTTP/1.1 200 ");
        }
        var fields = new ByteArrayOutputStream();
        fields.writeBytes(Http2Frames.fields("/rooms/cookies/messages"));
        fields.writeBytes(Http2Frames.field("cookie", "a=b"));
        fields.writeBytes(Http2Frames.field("cookie", cookie));
        byte[] request2 = Http2Frames.connection().request(1, fields.toByteArray()).toBytes();
        try (RawConnection http2 = RawConnection.open(pod.port(), request2)) {
            http2.await("\"messages\":");
        }
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
