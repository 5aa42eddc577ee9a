package dev.parley.access;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.Timeouts;
import java.time.Instant;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every call that is denied is counted once, and written to the audit log under the same word. */
class DenialIT {

    private static final String ADA = "ada@" + TestTokens.ISSUER;
    private static final String NONE = "-";
    private static final String FORM = "application/x-www-form-urlencoded";

    private static ParleyProcess pod;

    @BeforeAll
    static void startPod() {
        pod = builder().config("quarkus.http.cors.origins", "https://app.example").start();
        String admin =
                TestTokens.token()
                        .claim("sub", "root")
                        .claim("parley", Map.of("admin", true))
                        .signed();
        for (String form : new String[] {"sub=eve", "sub=ada&room=taken"}) {
            assertThat(AccessPods.revoke(pod, admin, form).status()).isEqualTo(200);
        }
    }

    /** A pod that writes all its lines, and not ten a minute. */
    private static ParleyProcess.Builder builder() {
        return AccessPods.builder()
                .config("quarkus.log.console.filter", "")
                .config("parley.access.failure-burst", "1000");
    }

    @AfterAll
    static void stopPod() {
        pod.close();
    }

    static Stream<Arguments> denials() {
        long now = Instant.now().getEpochSecond();
        TestTokens eve = AccessPods.tokenFor("kitchen").claim("sub", "eve").claim("iat", now - 60);
        return Stream.of(
                denial(
                        "no-token",
                        NONE,
                        "HEAD:/events",
                        "kitchen",
                        events("kitchen"),
                        DenialIT::plain),
                denial("no-token", NONE, "POST:/send", "kitchen", send("kitchen"), DenialIT::plain),
                denial("no-token", NONE, history(), "kitchen", read("kitchen"), DenialIT::plain),
                denial("no-token", NONE, "POST:/tickets", NONE, tickets(""), DenialIT::plain),
                denial(
                        "no-token",
                        NONE,
                        "POST:/revocations",
                        NONE,
                        DenialIT::revoke,
                        DenialIT::plain),
                denial("forbidden", ADA, "HEAD:/events", "garage", events("garage"), ada()),
                denial("forbidden", ADA, "POST:/send", "garage", send("garage"), ada()),
                denial(
                        "forbidden",
                        ADA,
                        "GET:/rooms/garage/messages",
                        "garage",
                        read("garage"),
                        ada()),
                denial("forbidden", ADA, "POST:/tickets", "garage", tickets("garage"), ada()),
                denial("forbidden", ADA, "POST:/revocations", NONE, DenialIT::revoke, ada()),
                denial("revoked", ADA, "HEAD:/events", "taken", events("taken"), ada()),
                denial("revoked", ADA, "POST:/send", "taken", send("taken"), ada()),
                denial("revoked", ADA, "POST:/tickets", "taken", tickets("taken"), ada()),
                denial(
                        "revoked",
                        "eve@" + TestTokens.ISSUER,
                        "POST:/send",
                        NONE,
                        send("kitchen"),
                        bearer(eve.signed())),
                denial(
                        "other-sender",
                        ADA,
                        "POST:/send",
                        "kitchen",
                        http -> http.sendForm("x", "room", "kitchen", "from", "Bob"),
                        ada()),
                denial(
                        "unknown-ticket",
                        NONE,
                        "HEAD:/events",
                        NONE,
                        events("kitchen&ticket=unknown"),
                        DenialIT::plain),
                denial(
                        "misplaced",
                        NONE,
                        "HEAD:/events",
                        NONE,
                        events("kitchen&access_token=a.b.c"),
                        DenialIT::plain),
                denial("misplaced", ADA, "POST:/tickets", NONE, tickets(""), cookie("same-origin")),
                denial(
                        "other-origin",
                        NONE,
                        "POST:/send",
                        NONE,
                        send("kitchen"),
                        cookie("cross-site")),
                denial(
                        "malformed",
                        NONE,
                        "HEAD:/events",
                        NONE,
                        events("kitchen"),
                        bearer("garbage")),
                denial(
                        "algorithm",
                        NONE,
                        "HEAD:/events",
                        NONE,
                        events("kitchen"),
                        bearer(TestTokens.token().unsigned("none"))),
                denial(
                        "issuer",
                        NONE,
                        "HEAD:/events",
                        NONE,
                        events("kitchen"),
                        bearer(TestTokens.token().claim("iss", "other").signed())),
                denial(
                        "audience",
                        NONE,
                        "HEAD:/events",
                        NONE,
                        events("kitchen"),
                        bearer(TestTokens.token().claim("aud", "other").signed())),
                denial(
                        "signature",
                        NONE,
                        "HEAD:/events",
                        NONE,
                        events("kitchen"),
                        bearer(TestTokens.token().hmac("HS256", new byte[32]))),
                denial(
                        "expired",
                        NONE,
                        "HEAD:/events",
                        NONE,
                        events("kitchen"),
                        bearer(TestTokens.token().claim("exp", now - 100).signed())),
                denial(
                        "expired",
                        ADA,
                        "HEAD:/events",
                        "kitchen",
                        events("kitchen"),
                        DenialIT::justExpired),
                denial(
                        "not-yet-valid",
                        NONE,
                        "HEAD:/events",
                        NONE,
                        events("kitchen"),
                        bearer(TestTokens.token().claim("nbf", now + 1000).signed())));
    }

    private static Arguments denial(
            String reason,
            String who,
            String what,
            String room,
            Function<Http, Http.Answer> call,
            Function<Http, Http> carrier) {
        return Arguments.of(reason, who, what, room, call, carrier);
    }

    private static Function<Http, Http.Answer> events(String room) {
        // Not GET, which would not return if the stream were opened.
        return http -> http.call("HEAD", "/events?room=" + room);
    }

    private static Function<Http, Http.Answer> send(String room) {
        return http -> http.sendForm("x", "room", room);
    }

    private static String history() {
        return "GET:/rooms/kitchen/messages";
    }

    private static Function<Http, Http.Answer> read(String room) {
        return http -> http.get("/rooms/" + room + "/messages");
    }

    private static Function<Http, Http.Answer> tickets(String room) {
        return http -> http.post("/tickets", FORM, room.isEmpty() ? "" : "room=" + room);
    }

    private static Http.Answer revoke(Http http) {
        return http.post("/revocations", FORM, "sub=bob");
    }

    private static Http plain(Http http) {
        return http;
    }

    private static Function<Http, Http> ada() {
        // Issued before what was revoked.
        long issued = Instant.now().getEpochSecond() - 60;
        return bearer(AccessPods.tokenFor("kitchen", "taken").claim("iat", issued).signed());
    }

    private static Function<Http, Http> bearer(String token) {
        return http -> http.with("Authorization", "Bearer " + token);
    }

    /** Brings a token that is accepted, because clocks may differ, and opens no stream. */
    private static Http justExpired(Http http) {
        long now = Instant.now().getEpochSecond();
        TestTokens token = AccessPods.tokenFor("kitchen").claim("iat", now - 60);
        return bearer(token.claim("exp", now - 1).signed()).apply(http);
    }

    private static Function<Http, Http> cookie(String site) {
        String token = AccessPods.tokenFor("kitchen").signed();
        return http -> http.with("Cookie", "__Host-parley=" + token).with("Sec-Fetch-Site", site);
    }

    @ParameterizedTest(name = "{0}: {2} {3}")
    @MethodSource("denials")
    void denial_isCountedOnce_andAuditedUnderTheSameWord(
            String reason,
            String who,
            String what,
            String room,
            Function<Http, Http.Answer> call,
            Function<Http, Http> carrier) {
        assertNoted(pod, reason, who, what, room, call, carrier);
    }

    @Test
    void cookieWithoutOrigins_andTooManyBadTokens_areNotedToo() {
        try (ParleyProcess open =
                builder()
                        .config("parley.access.failure-burst", "1")
                        .config("parley.access.failure-rate", "1")
                        .start()) {
            assertNoted(
                    open,
                    "cookie-without-origins",
                    NONE,
                    "HEAD:/events",
                    NONE,
                    events("kitchen"),
                    cookie("same-origin"));
            Http bad = carry(open, bearer("bad"));
            Timeouts.await("too many bad tokens")
                    .until(() -> bad.get("/rooms/kitchen/messages").status() == 429);
            open.awaitLog(line("too-many", NONE, history(), NONE));
            assertThat(new Metrics(open).value(denied("too-many"))).isPositive();
        }
    }

    private static void assertNoted(
            ParleyProcess at,
            String reason,
            String who,
            String what,
            String room,
            Function<Http, Http.Answer> call,
            Function<Http, Http> carrier) {
        var metrics = new Metrics(at);
        double counted = metrics.value(denied(reason));
        double all = sum(metrics);
        String line = line(reason, who, what, room);
        int written = count(at, line);

        Http.Answer answer = call.apply(carry(at, carrier));

        assertThat(answer.status()).isIn(400, 401, 403);
        Timeouts.await("the line " + line).until(() -> count(at, line) == written + 1);
        assertThat(metrics.value(denied(reason))).isEqualTo(counted + 1);
        assertThat(sum(metrics)).isEqualTo(all + 1);
    }

    private static Http carry(ParleyProcess at, Function<Http, Http> carrier) {
        return carrier.apply(
                new Http(at.uri()).with("Accept", "application/json, text/event-stream"));
    }

    private static String line(String reason, String who, String what, String room) {
        return "who=%s what=%s room=%s outcome=denied reason=%s address=127.0.0.1"
                .formatted(who, what, room, reason);
    }

    private static int count(ParleyProcess at, String line) {
        return at.log().split(Pattern.quote(line), -1).length - 1;
    }

    private static String denied(String reason) {
        return "parley_access_denied_total{reason=\"" + reason + "\"}";
    }

    private static double sum(Metrics metrics) {
        return metrics.page()
                .lines()
                .filter(line -> line.startsWith("parley_access_denied_total{"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.indexOf("} ") + 2)))
                .sum();
    }
}
