package dev.parley.access;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.TcpProxy;
import dev.parley.testsupport.Timeouts;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rights that are taken away while streams are open, on two pods of one Redis. */
class RevocationIT {

    private static final String REVOKED = "{\"reason\":\"revoked\"}";

    @AutoClose private static RedisServer redis;
    @AutoClose private static TcpProxy proxy;

    private static ParleyProcess one;
    private static ParleyProcess other;

    private static final AtomicInteger people = new AtomicInteger();

    private static String admin;

    /** Issued in the future, so that no revocation of a test concerns it. */
    private static String newAdmin() {
        return TestTokens.token()
                .claim("sub", "root")
                .claim("iat", Instant.now().getEpochSecond() + 20)
                .claim("parley", java.util.Map.of("admin", true))
                .signed();
    }

    @BeforeAll
    static void startPods() {
        admin = newAdmin();
        redis = RedisServer.start();
        proxy = TcpProxy.to(redis.port());
        one = AccessPods.builder().redis(redis.uri()).start().awaitReady();
        other =
                AccessPods.builder()
                        .quickToDetectFaults()
                        .redis(proxy.uri("redis"))
                        .start()
                        .awaitReady();
    }

    @AfterAll
    static void stopPods() {
        one.close();
        other.close();
    }

    @Test
    void personWithThreeTabs_isRevoked_onEveryPod_andNoOther() {
        String token = token("eve").signed();
        String bob = token("bob").signed();
        String ticket = AccessPods.ticket(one, token);
        List<SseReader> tabs = new ArrayList<>();
        tabs.add(open(one, token));
        tabs.add(open(other, token));
        tabs.add(SseReader.open(other.uri("/events?room=team.a&ticket=" + ticket)));
        tabs.forEach(SseReader::awaitLastEventId);
        try (SseReader untouched = open(other, bob)) {
            untouched.awaitLastEventId();

            Http.Answer answer = AccessPods.revoke(one, admin, "sub=eve");

            assertThat(answer.status()).as(answer.body()).isEqualTo(200);
            for (SseReader tab : tabs) {
                assertThat(tab.awaitEvent("goodbye").data()).isEqualTo(REVOKED);
                tab.close();
            }
            assertRefused(one, token);
            assertRefused(other, token);
            assertThat(new Http(other.uri()).get("/events?room=team.a&ticket=" + ticket).status())
                    .isEqualTo(401);
            AccessPods.with(one, bob).sendForm("still", "room", "team.a");
            untouched.awaitData("still");
        }
        one.awaitLog("who=root@" + TestTokens.ISSUER + " what=POST:/revocations");
        assertThat(new Metrics(one).value("parley_revocations")).isPositive();
    }

    /** Counted in heartbeats of two seconds, since both come late on a busy machine. */
    @Test
    void streamOnAnotherPod_endsWithinASecondOrSo() {
        String token = token("sybil").signed();
        String query = "room=team.a&heartbeat=event&heartbeat=2";
        try (SseReader reader = AccessPods.reader(other, query, token).open()) {
            reader.awaitLastEventId();

            assertThat(AccessPods.revoke(one, admin, "sub=sybil").status()).isEqualTo(200);

            int before = reader.events("heartbeat").size();
            assertThat(reader.awaitEvent("goodbye").data()).isEqualTo(REVOKED);
            assertThat(reader.events("heartbeat").size() - before).isLessThanOrEqualTo(2);
        }
    }

    @Test
    void tokenThatIsIssuedLater_isNotConcerned() {
        AccessPods.revoke(one, admin, "sub=mallory");
        assertRefused(other, token("mallory").signed());

        String later = token("mallory").claim("iat", Instant.now().getEpochSecond() + 10).signed();

        assertThat(AccessPods.with(other, later).get("/rooms/team.a/messages").status())
                .isEqualTo(200);
    }

    @Test
    void oneToken_isRevoked_andThePersonsOthersAreNot() {
        String stolen = token("carol").claim("jti", "t-1").signed();
        String own = token("carol").claim("jti", "t-2").signed();
        try (SseReader thief = open(other, stolen);
                SseReader carol = open(other, own)) {
            thief.awaitLastEventId();
            carol.awaitLastEventId();

            AccessPods.revoke(one, admin, "jti=t-1");

            assertThat(thief.awaitEvent("goodbye").data()).isEqualTo(REVOKED);
            AccessPods.with(one, own).sendForm("mine", "room", "team.a");
            carol.awaitData("mine");
        }
        assertRefused(other, stolen);
    }

    @Test
    void room_isTakenFromAPerson_andTheirOtherRoomsGoOn() {
        String token = token("dan").signed();
        String query = "format=json&room=team.a&room=team.b";
        try (SseReader reader = AccessPods.reader(other, query, token).reconnecting().open()) {
            reader.awaitLastEventId();

            AccessPods.revoke(one, admin, "sub=dan&room=team.b");

            assertThat(reader.awaitEvent("goodbye").data()).isEqualTo(REVOKED);
            assertThat(reader.awaitEvent("denied").data())
                    .isEqualTo("{\"room\":\"team.b\",\"reason\":\"revoked\"}");
            AccessPods.with(one, token("ada").signed()).sendForm("to dan", "room", "team.a");
            reader.await(
                    "the message of the other room",
                    it -> it.data().stream().anyMatch(data -> data.contains("to dan")));
        }
        assertThat(AccessPods.with(other, token).sendForm("x", "room", "team.b").status())
                .isEqualTo(403);
        assertThat(AccessPods.with(other, token).get("/rooms/team.b/messages").status())
                .isEqualTo(403);
        assertThat(AccessPods.with(other, token).get("/rooms/team.a/messages").status())
                .isEqualTo(200);
    }

    /**
     * Rooms that everybody may read, write, or both, and one that only a token permits; and in
     * each, what is revoked of a token that may read and write all of them.
     */
    static Stream<Arguments> revocationsInRooms() {
        return Stream.of("public.seen", "public.write.wall", "inbox.hints", "team.closed")
                .flatMap(
                        room ->
                                Stream.of("sub=SUB", "jti=JTI", "sub=SUB&room=ROOM", "room=ROOM")
                                        .map(fields -> Arguments.of(room, fields)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("revocationsInRooms")
    void whatIsRevoked_isDenied_alsoInPublicRooms_andTheTokenIsNotNeededThere(
            String kind, String fields) {
        int number = people.incrementAndGet();
        String room = kind + number;
        String person = "person" + number;
        String form =
                fields.replace("SUB", person).replace("JTI", "id" + number).replace("ROOM", room);
        TestTokens rights =
                AccessPods.tokenFor(room, "team.other")
                        .claim("sub", person)
                        .claim("jti", "id" + number);
        String token = rights.signed();
        String ticket = AccessPods.ticket(one, token);
        boolean isWhole = !fields.contains("room");
        try (SseReader open = AccessPods.reader(other, "room=" + room, token).open()) {
            open.awaitLastEventId();

            assertThat(AccessPods.revoke(one, admin, form).status()).isEqualTo(200);

            assertThat(open.awaitEvent("goodbye").data()).isEqualTo(REVOKED);
        }
        for (ParleyProcess pod : List.of(one, other)) {
            Http revoked = AccessPods.with(pod, token);
            int status = isWhole ? 401 : 403;
            assertThat(revoked.call("HEAD", "/events?room=" + room).status()).isEqualTo(status);
            assertThat(revoked.get("/rooms/" + room + "/messages").status()).isEqualTo(status);
            assertThat(revoked.sendForm("x", "room", room).status()).isEqualTo(status);
            assertThat(AccessPods.ticketAnswer(pod, token, "room=" + room).status())
                    .isEqualTo(status);
            assertThat(
                            new Http(pod.uri())
                                    .call("HEAD", "/events?room=" + room + "&ticket=" + ticket)
                                    .status())
                    .isEqualTo(status);
            assertThat(revoked.sendForm("x", "room", "team.other").status())
                    .isEqualTo(isWhole ? 401 : 200);

            Http without = new Http(pod.uri()).with("Accept", "application/json, text/plain");
            assertThat(without.get("/rooms/" + room + "/messages").status())
                    .isEqualTo(room.startsWith("public.") ? 200 : 401);
            assertThat(without.sendForm("x", "room", room).status())
                    .isEqualTo(
                            room.startsWith("public.write.") || room.startsWith("inbox.")
                                    ? 200
                                    : 401);
        }
        if (!isWhole) {
            String both = "format=json&room=team.other&room=" + room;
            try (SseReader fresh = AccessPods.reader(other, both, token).open()) {
                assertThat(fresh.awaitEvent("denied").data())
                        .isEqualTo("{\"room\":\"%s\",\"reason\":\"revoked\"}".formatted(room));
            }
        }
        String later =
                rights.claim("iat", Instant.now().getEpochSecond() + 10)
                        .claim("jti", "later" + number)
                        .signed();
        assertThat(AccessPods.with(other, later).sendForm("x", "room", room).status())
                .isEqualTo(200);
    }

    /** In any language and script, and in the normal form of the token. */
    @Test
    void personWithAnyName_isRevoked_andTheLogHasItAsOneWord() {
        String composed = "zo\u00eb \ud83d\ude80=\u200b\u00a0\u3000x";
        String token = token(composed).signed();
        String decomposed = token(composed.replace("\u00eb", "e\u0308")).signed();

        assertThat(AccessPods.revoke(one, admin, "sub=" + encode(composed)).status())
                .isEqualTo(200);

        assertRefused(other, token);
        assertThat(AccessPods.with(other, decomposed).get("/rooms/team.a/messages").status())
                .isEqualTo(200);
        one.awaitLog("zo\u00eb_\ud83d\ude80____x");
    }

    private static String encode(String value) {
        return URLEncoder.encode(value, StandardCharsets.UTF_8);
    }

    @Test
    void podThatStartsLater_knowsTheRevocation() {
        String token = token("frank").signed();
        AccessPods.revoke(one, admin, "sub=frank");

        try (ParleyProcess late = AccessPods.builder().redis(redis.uri()).start().awaitReady()) {
            assertRefused(late, token);
        }
    }

    @Test
    void podThatStartsCutOff_admitsNoToken_beforeItKnowsWhatIsRevoked() throws Exception {
        String ivan = token("ivan").signed();
        String judy = token("judy").signed();
        AccessPods.revoke(one, admin, "sub=ivan");
        try (TcpProxy away = TcpProxy.to(redis.port())) {
            away.refuse();
            try (ParleyProcess late =
                    AccessPods.builder().quickToDetectFaults().redis(away.uri("redis")).start()) {
                for (String token : List.of(ivan, judy)) {
                    Http http = AccessPods.with(late, token);
                    assertThat(http.get("/rooms/team.a/messages").status()).isEqualTo(503);
                    Http.Answer publish = http.sendForm("x", "room", "team.a");
                    assertThat(publish.status()).isEqualTo(503);
                    assertThat(publish.body())
                            .contains("cannot be checked now")
                            .doesNotContain("may be published");
                    try (SseReader reader = open(late, token)) {
                        assertThat(reader.awaitEvent("goodbye").data())
                                .isEqualTo("{\"reason\":\"unavailable\"}");
                    }
                    try (SseReader clock =
                            SseReader.to(late.uri("/clock"))
                                    .header("Authorization", "Bearer " + token)
                                    .open()) {
                        // It is for everybody, and an EventSource would not come back after a 503.
                        clock.awaitMessages(1);
                    }
                }
                assertThat(late.management().get("/q/health/ready").body())
                        .contains("what is revoked");

                away.heal();
                late.awaitReady();

                assertRefused(late, ivan);
                assertThat(AccessPods.with(late, judy).get("/rooms/team.a/messages").status())
                        .isEqualTo(200);
            }
        }
    }

    @Test
    void podThatWasCutOff_actsWhenItIsBack() {
        String token = token("grace").signed();
        try (SseReader reader = open(other, token)) {
            reader.awaitLastEventId();
            proxy.refuse();
            proxy.cut();
            other.awaitReadiness(503);
            AccessPods.revoke(one, admin, "sub=grace");
            assertThat(reader.events("goodbye")).isEmpty();

            proxy.heal();

            assertThat(reader.awaitEvent("goodbye").data()).isEqualTo(REVOKED);
        } finally {
            proxy.heal();
            other.awaitReady();
        }
    }

    @Test
    void revocationThatRedisHasLost_staysInForce_andIsGivenBack() {
        String token = token("heidi").signed();
        AccessPods.revoke(one, admin, "sub=heidi");
        assertRefused(other, token);

        redis.command("FLUSHALL");

        assertRefused(one, token);
        assertKept(redis, "heidi");
    }

    @ParameterizedTest
    @ValueSource(strings = {"revocations", "revision", "revision revocations"})
    void revocationsOfWhichRedisHasLostOneKey_areThere_orAreGivenBack(String keys) {
        String person = "ivan." + keys.length();
        String token = token(person).signed();
        AccessPods.revoke(one, admin, "sub=" + person);
        assertRefused(other, token);

        for (String key : keys.split(" ", -1)) {
            redis.command("DEL", "parley:{:access}:" + key);
        }

        assertKept(redis, person);
        try (ParleyProcess late = AccessPods.builder().redis(redis.uri()).start().awaitReady()) {
            assertRefused(late, token);
        }
    }

    @Test
    void revocationOfWhichTheOutcomeIsUnknown_isInTheAuditLog() {
        try (RedisServer slow = RedisServer.start();
                ParleyProcess pod = AccessPods.builder().redis(slow.uri()).start().awaitReady()) {
            slow.command("CLIENT", "PAUSE", "600000", "WRITE");

            Http.Answer answer = AccessPods.revoke(pod, admin, "sub=judy");

            slow.command("CLIENT", "UNPAUSE");
            assertThat(answer.status()).as(answer.body()).isEqualTo(503);
            pod.awaitLog(
                    "what=POST:/revocations room=- outcome=unknown revoked={\"sub\":\"judy\""
                            .replace('"', '_'));
        }
    }

    @Test
    void revocationWithAQuery_isRefused_becauseItsFieldsWouldBeIgnored() {
        Http.Answer answer =
                AccessPods.with(one, admin)
                        .post(
                                "/revocations?sub=eve",
                                "application/x-www-form-urlencoded",
                                "room=team.queried");

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.json().path("code").asText()).isEqualTo("bad-form");
        assertThat(answer.json().path("detail").asText()).contains("expected in the body");
        assertThat(revocations(redis)).doesNotContain("team.queried");
    }

    @Test
    void revocationThatRedisHasLost_andCannotTakeBack_isGivenBackWhenItCan() {
        try (RedisServer stubborn = RedisServer.start();
                ParleyProcess pod =
                        AccessPods.builder().redis(stubborn.uri()).start().awaitReady()) {
            String token = token("kim").signed();
            AccessPods.revoke(pod, admin, "sub=kim");
            refuseRevocations(stubborn);
            stubborn.command("FLUSHALL");
            pod.awaitLog("The store lacks revocations");

            acceptRevocations(stubborn);

            assertKept(stubborn, "kim");
            try (ParleyProcess late =
                    AccessPods.builder().redis(stubborn.uri()).start().awaitReady()) {
                assertRefused(late, token);
            }
        }
    }

    @Test
    void revocationThatOneOfTwoServersDidNotTake_isGivenToItWhenItCanTakeIt() {
        try (RedisServer first = RedisServer.start();
                RedisServer second = RedisServer.start();
                ParleyProcess pod =
                        AccessPods.builder()
                                .config("parley.redis.servers.one", first.uri())
                                .config("parley.redis.servers.two", second.uri())
                                .start()
                                .awaitReady()) {
            refuseRevocations(second);
            assertThat(AccessPods.revoke(pod, admin, "sub=liam").status()).isEqualTo(200);
            assertThat(revocations(first)).contains("liam");
            assertThat(revocations(second)).doesNotContain("liam");

            acceptRevocations(second);

            assertKept(second, "liam");
        }
    }

    @Test
    void serverThatIsAddedEmpty_getsWhatTheOthersHave() {
        try (RedisServer first = RedisServer.start();
                RedisServer second = RedisServer.start()) {
            try (ParleyProcess alone =
                    AccessPods.builder()
                            .config("parley.redis.servers.one", first.uri())
                            .start()
                            .awaitReady()) {
                AccessPods.revoke(alone, admin, "sub=mia");
            }
            try (ParleyProcess both =
                    AccessPods.builder()
                            .config("parley.redis.servers.one", first.uri())
                            .config("parley.redis.servers.two", second.uri())
                            .start()
                            .awaitReady()) {
                assertKept(second, "mia");
            }
        }
    }

    @Test
    void revocationAboveTheNumber_isRefused_andOneThatIsKeptCanBeRepeated() {
        try (RedisServer full = RedisServer.start();
                ParleyProcess pod = AccessPods.builder().redis(full.uri()).start().awaitReady()) {
            assertThat(AccessPods.revoke(pod, admin, "jti=kept").status()).isEqualTo(200);
            full.command(
                    "EVAL",
                    "for i = 2, 10000 do redis.call('ZADD', KEYS[1], ARGV[1], 'filler ' .. i) end",
                    "1",
                    "parley:{:access}:revocations",
                    Long.toString(Instant.now().plusSeconds(3_600).toEpochMilli()));

            Http.Answer answer = AccessPods.revoke(pod, admin, "jti=one-more");

            assertThat(answer.status()).as(answer.body()).isEqualTo(503);
            assertThat(answer.json().path("code").asText()).isEqualTo("too-many-revocations");
            assertThat(answer.body()).contains("nothing was revoked");
            assertThat(AccessPods.revoke(pod, admin, "jti=kept").status()).isEqualTo(200);
        }
    }

    /** Makes the server refuse the write, and go on answering reads and other writes. */
    private static void refuseRevocations(RedisServer server) {
        server.command("ACL", "SETUSER", "default", "-zadd");
    }

    private static void acceptRevocations(RedisServer server) {
        server.command("ACL", "SETUSER", "default", "+zadd");
    }

    private static String revocations(RedisServer server) {
        return server.command("ZRANGE", "parley:{:access}:revocations", "0", "-1").toString();
    }

    private static void assertKept(RedisServer server, String part) {
        Timeouts.await("a pod gives it back").until(() -> revocations(server).contains(part));
    }

    @Test
    void wrongRevocations_areRefused_andRevokeNothing() {
        double before = new Metrics(one).value("parley_revocations");
        for (String form :
                List.of(
                        "",
                        "user=eve",
                        "sub=",
                        "sub=a&sub=b",
                        "sub=a&typo=b",
                        "room=not+a+room",
                        "iss=https://login.example",
                        "issued_before=yesterday",
                        "issued_before=2026-01-31",
                        "issued_before=2026-01-31T12:00:00",
                        "issued_before=2026-02-30T12:00:00Z",
                        "issued_before=2026-01-31T24:00:00Z",
                        "issued_before=%2B999999999-01-01T00:00:00Z",
                        "issued_before=9999-12-31T23:59:59Z",
                        "issued_before=" + Instant.now().plusSeconds(60))) {
            assertThat(AccessPods.revoke(one, admin, form).status()).as(form).isEqualTo(400);
        }
        assertThat(AccessPods.revoke(one, token("eve").signed(), "sub=bob").status())
                .isIn(401, 403);
        assertThat(new Metrics(one).value("parley_revocations")).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "2026-01-31T12:00:00Z",
                "2026-01-31t12:00:00.5z",
                "2026-01-31T13:00:00%2B01:00"
            })
    void issuedBefore_isAnyTimeOfRfc3339(String time) {
        Http.Answer answer = AccessPods.revoke(one, admin, "sub=nina&issued_before=" + time);

        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertThat(answer.json().path("issued_before").textValue())
                .startsWith("2026-01-31T12:00:00");
    }

    @Test
    void issuedBefore_mayBeAheadByWhatClocksDiffer() {
        String ahead = "sub=nina&issued_before=" + Instant.now().plusSeconds(20);

        assertThat(AccessPods.revoke(one, admin, ahead).status()).isEqualTo(200);
    }

    private static void assertRefused(ParleyProcess pod, String token) {
        Timeouts.await("the token is refused")
                .until(
                        () -> AccessPods.with(pod, token).get("/rooms/team.a/messages").status(),
                        status -> status == 401);
        Http.Answer answer = AccessPods.with(pod, token).get("/rooms/team.a/messages");
        assertThat(answer.json().get("code").asText()).isEqualTo("invalid-token");
        assertThat(answer.json().get("detail").asText()).contains("revoked");
    }

    private static TestTokens token(String subject) {
        return AccessPods.tokenFor("team.*").claim("sub", subject);
    }

    private static SseReader open(ParleyProcess pod, String token) {
        return AccessPods.reader(pod, "room=team.a", token).open();
    }
}
