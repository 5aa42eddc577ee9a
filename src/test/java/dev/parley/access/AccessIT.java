package dev.parley.access;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who may read and write which room, over HTTP. */
class AccessIT {

    private static final String KITCHEN = AccessPods.tokenFor("kitchen").signed();

    private static ParleyProcess pod;
    private static Http anybody;
    private static Http ada;

    @BeforeAll
    static void startPod() {
        pod = AccessPods.builder().start();
        anybody = new Http(pod.uri()).with("Accept", "application/json, text/event-stream");
        ada = AccessPods.with(pod, KITCHEN);
    }

    @AfterAll
    static void stopPod() {
        pod.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /events?room=kitchen",
                "GET /events?room=never.used",
                "HEAD /events?room=kitchen",
                "POST /send?room=kitchen&msg=x",
                "POST /send?room=kitchen&msg=x&ttl=999999999",
                "POST /send?room=public.news&msg=x",
                "GET /rooms/kitchen/messages",
                "HEAD /rooms/kitchen/messages",
                "POST /tickets"
            })
    void callWithoutAToken_isRefused_inTheSameWayForEveryRoom(String call) {
        Http.Answer answer = call(anybody, call);

        assertThat(answer.status()).isEqualTo(401);
        assertThat(answer.header("WWW-Authenticate")).isEqualTo("Bearer");
        if (!call.startsWith("HEAD")) {
            assertThat(answer.json().get("code").asText()).isEqualTo("unauthorized");
            assertThat(answer.body()).doesNotContain("kitchen", "never.used", "public.news");
            assertThat(answer.body()).as("the room's settings").doesNotContain("ttl");
        }
    }

    @Test
    void publicRoom_needsNoToken() {
        assertThat(call(anybody, "GET /rooms/public.news/messages").status()).isEqualTo(200);
        try (SseReader reader = SseReader.open(pod.uri("/events?room=public.write.a"))) {
            reader.awaitLastEventId();

            assertThat(anybody.sendForm("hello", "room", "public.write.a").status()).isEqualTo(200);

            reader.awaitData("hello");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /events?room=garage",
                "GET /events?room=kitchen2",
                "GET /events?room=Kitchen",
                "POST /send?room=garage&msg=x",
                "POST /send?room=garage&msg=x&ttl=999999999",
                "GET /rooms/garage/messages",
                "POST /revocations"
            })
    void callThatTheTokenDoesNotPermit_isRefused(String call) {
        Http.Answer answer = call(ada, call);

        assertThat(answer.status()).isEqualTo(403);
        assertThat(answer.header("WWW-Authenticate"))
                .startsWith("Bearer error=\"insufficient_scope\", error_description=\"forbidden");
        assertThat(answer.json().get("code").asText()).isEqualTo("forbidden");
    }

    @Test
    void tokenThatPermitsARoom_readsAndWritesIt_andItsPersonIsTheSender() {
        try (SseReader reader =
                AccessPods.reader(pod, "room=kitchen&format=json", KITCHEN).open()) {
            reader.awaitLastEventId();

            assertThat(ada.sendForm("hello", "room", "kitchen").status()).isEqualTo(200);

            SseReader.Event message = reader.awaitMessages(1).messages().get(0);
            assertThat(message.data())
                    .contains("\"from\":\"ada\"", "\"verified\":true", "\"text\":\"hello\"");
        }
        assertThat(ada.get("/rooms/kitchen/messages").body())
                .contains("\"from\":\"ada\"", "\"verified\":true");
    }

    /** Names are not unique. */
    @Test
    void idempotencyKey_isOfThePerson_notOfTheName() {
        TestTokens token = AccessPods.tokenFor("public.write.keys").claim("name", "Alex");
        Http one = AccessPods.with(pod, token.signed()).with("Idempotency-Key", "k");
        Http two =
                AccessPods.with(pod, token.claim("sub", "bob").signed())
                        .with("Idempotency-Key", "k");

        Http.Answer first = one.sendForm("hello", "room", "public.write.keys");
        Http.Answer other = two.sendForm("hello", "room", "public.write.keys");
        Http.Answer anonymous =
                anybody.with("Idempotency-Key", "k")
                        .sendForm("hi", "room", "public.write.keys", "from", "Alex");
        Http.Answer repeat = one.sendForm("hello", "room", "public.write.keys");

        assertThat(List.of(first, other, anonymous))
                .allSatisfy(sent -> assertThat(sent.status()).isEqualTo(200))
                .extracting(sent -> sent.header("Event-Id"))
                .doesNotHaveDuplicates();
        assertThat(repeat.json().get("duplicate").asBoolean()).isTrue();
        assertThat(repeat.header("Event-Id")).isEqualTo(first.header("Event-Id"));
    }

    @Test
    void nameInTheToken_isTheSender_andBothNameAndSubjectMayBeGiven() {
        String token = AccessPods.tokenFor("names").claim("name", "Ada L.").signed();
        Http named = AccessPods.with(pod, token);

        assertThat(named.sendForm("1", "room", "names").status()).isEqualTo(200);
        assertThat(named.sendForm("2", "room", "names", "from", "ada").status()).isEqualTo(200);
        assertThat(named.sendForm("3", "room", "names", "from", "Ada L.").status()).isEqualTo(200);

        assertThat(named.get("/rooms/names/messages").json().get("messages"))
                .hasSize(3)
                .allMatch(message -> message.get("from").asText().equals("Ada L."));
    }

    @Test
    void otherSender_isRefused_andNothingIsPublished() {
        Http.Answer answer = ada.sendForm("I am Bob", "room", "kitchen", "from", "Bob");

        assertThat(answer.status()).isEqualTo(403);
        assertThat(answer.json().get("code").asText()).isEqualTo("other-sender");
        assertThat(ada.get("/rooms/kitchen/messages").body()).doesNotContain("I am Bob");
    }

    @Test
    void senderInAPublicRoom_isNotVerified_withoutAToken() {
        anybody.sendForm("hi", "room", "public.write.b", "from", "ada");

        assertThat(anybody.get("/rooms/public.write.b/messages").body())
                .contains("\"from\":\"ada\"")
                .doesNotContain("verified");
    }

    @Test
    void forbiddenRoomsOfAStream_areDenied_andTheOthersGoOn() {
        String query = "format=json&room=garage&room=kitchen&room=attic";
        try (SseReader reader = AccessPods.reader(pod, query, KITCHEN).open()) {
            reader.awaitLastEventId();
            ada.sendForm("through", "room", "kitchen");

            reader.awaitMessages(1);

            assertThat(reader.events("denied"))
                    .extracting(SseReader.Event::data)
                    .containsExactly(
                            "{\"room\":\"attic\",\"reason\":\"forbidden\"}",
                            "{\"room\":\"garage\",\"reason\":\"forbidden\"}");
            assertThat(reader.messages().get(0).id()).startsWith("kitchen=");
        }
    }

    @Test
    void positionInADeniedRoom_isKept_untilTheRoomMayBeReadAgain() {
        Http both = AccessPods.with(pod, AccessPods.tokenFor("kept.*").signed());
        both.sendForm("1", "room", "kept.a");
        both.sendForm("1", "room", "kept.b");
        String query = "format=json&room=kept.a&room=kept.b";
        String id;
        try (SseReader reader =
                AccessPods.reader(pod, query, AccessPods.tokenFor("kept.*").signed()).open()) {
            id = reader.awaitLastEventId().lastEventId();
        }
        both.sendForm("2", "room", "kept.a");
        both.sendForm("2", "room", "kept.b");
        try (SseReader reader =
                AccessPods.reader(pod, query, AccessPods.tokenFor("kept.b").signed())
                        .lastEventId(id)
                        .open()) {
            id = reader.awaitMessages(1).lastEventId();
        }

        try (SseReader reader =
                AccessPods.reader(pod, query, AccessPods.tokenFor("kept.*").signed())
                        .lastEventId(id)
                        .open()) {
            assertThat(reader.awaitMessages(1).messages().get(0).data())
                    .contains("\"room\":\"kept.a\"", "\"text\":\"2\"");
            assertThat(reader.events("gap")).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /events?room=public.news&access_token=TOKEN",
                "GET /events?room=public.news&ticket=TOKEN",
                "POST /send?room=kitchen&msg=x&access_token=TOKEN",
                "GET /rooms/kitchen/messages?ticket=abc",
                "POST /send?room=kitchen&msg=x&ticket=abc"
            })
    void tokenInTheUrl_isRefused_andTheErrorExplainsTickets(String call) {
        Http.Answer answer = call(anybody, call.replace("TOKEN", KITCHEN));

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.json().get("code").asText()).isEqualTo("token-in-url");
        assertThat(answer.body()).doesNotContain(KITCHEN);
        assertThat(pod.log()).doesNotContain(KITCHEN);
    }

    @Test
    void badToken_isRefused_alsoWhereNoneIsNeeded() {
        long now = Instant.now().getEpochSecond();
        Map<String, String> bad =
                Map.of(
                        "expired", TestTokens.token().claim("exp", now - 100).signed(),
                        "audience", TestTokens.token().claim("aud", "other").signed(),
                        "none", TestTokens.token().unsigned("none"),
                        "garbage", "garbage",
                        "too long a life", TestTokens.token().claim("exp", now + 90_000).signed());
        bad.forEach(
                (what, token) -> {
                    Http.Answer answer =
                            call(AccessPods.with(pod, token), "GET /rooms/public.news/messages");

                    assertThat(answer.status()).as(what).isEqualTo(401);
                    assertThat(answer.json().get("code").asText())
                            .as(what)
                            .isEqualTo("invalid-token");
                    assertThat(answer.header("WWW-Authenticate"))
                            .as(what)
                            .startsWith("Bearer error=\"invalid_token\"");
                });
    }

    @Test
    void stream_endsBeforeItsToken_andContinuesWithAnother() {
        String room = "expiring";
        Http publisher = AccessPods.with(pod, AccessPods.tokenFor(room).signed());
        String brief =
                AccessPods.tokenFor(room).claim("exp", Instant.now().getEpochSecond() + 8).signed();
        String id;
        try (SseReader reader = AccessPods.reader(pod, "room=" + room, brief).open()) {
            reader.awaitLastEventId();
            publisher.sendForm("1", "room", room);

            assertThat(reader.awaitEvent("goodbye").data()).isEqualTo("{\"reason\":\"expired\"}");
            id = reader.awaitClosed().lastEventId();
        }
        publisher.sendForm("2", "room", room);
        String renewed = AccessPods.tokenFor(room).signed();
        try (SseReader reader =
                AccessPods.reader(pod, "room=" + room, renewed).lastEventId(id).open()) {
            assertThat(reader.awaitMessages(1).data()).containsExactly("2");
            assertThat(reader.events("gap")).isEmpty();
        }
    }

    @Test
    void rateOfPublishing_isThatOfThePerson_whateverTheirToken_andOfTheAddressWithoutOne() {
        try (ParleyProcess limited =
                AccessPods.builder()
                        .config("parley.publish.rate", "1")
                        .config("parley.publish.burst", "3")
                        .start()) {
            String room = "public.write.rate";
            for (int i = 0; i < 3; i++) {
                String another = AccessPods.tokenFor(room).claim("jti", "t" + i).signed();
                AccessPods.with(limited, another).sendForm("x", "room", room);
            }
            Http.Answer answer = null;
            String again = AccessPods.tokenFor(room).claim("jti", "t4").signed();
            for (int i = 0; i < 100 && (answer == null || answer.status() == 200); i++) {
                answer = AccessPods.with(limited, again).sendForm("x", "room", room);
            }
            String bob = AccessPods.tokenFor(room).claim("sub", "bob").signed();

            assertThat(answer.status()).isEqualTo(429);
            assertThat(AccessPods.with(limited, bob).sendForm("x", "room", room).status())
                    .isEqualTo(200);
            assertThat(new Http(limited.uri()).sendForm("x", "room", room).status()).isEqualTo(200);
        }
    }

    @Test
    void manyBadTokensOfAnAddress_areRefusedUnchecked_andOthersGoOn() {
        try (ParleyProcess limited =
                AccessPods.builder()
                        .config("parley.access.failure-burst", "3")
                        .config("parley.access.failure-rate", "1")
                        .start()) {
            Http known = AccessPods.with(limited, KITCHEN);
            assertThat(known.get("/rooms/kitchen/messages").status()).isEqualTo(200);
            Http.Answer answer = null;
            for (int i = 0; i < 200 && (answer == null || answer.status() == 401); i++) {
                answer = AccessPods.with(limited, "bad" + i).get("/rooms/kitchen/messages");
            }

            assertThat(answer.status()).isEqualTo(429);
            assertThat(answer.header("Retry-After")).isNotBlank();
            try (SseReader reader =
                    SseReader.open(limited.uri("/events?room=kitchen&ticket=unknown"))) {
                // An EventSource would not come back after 429.
                assertThat(reader.awaitEvent("goodbye").data()).contains("unavailable");
            }
            assertThat(known.get("/rooms/kitchen/messages").status()).isEqualTo(200);
            assertThat(
                            new Metrics(limited)
                                    .value("parley_access_denied_total{reason=\"too-many\"}"))
                    .isPositive();
        }
    }

    @Test
    void streamThatALimitRefuses_isNotCountedAsAdmitted() {
        try (ParleyProcess small =
                        AccessPods.builder().config("parley.limits.connections", "1").start();
                SseReader one = AccessPods.reader(small, "room=kitchen", KITCHEN).open()) {
            one.awaitLastEventId();

            try (SseReader refused = AccessPods.reader(small, "room=kitchen", KITCHEN).open()) {
                assertThat(refused.awaitEvent("goodbye").data()).contains("limit");
                refused.awaitClosed();
            }

            var metrics = new Metrics(small);
            metrics.awaitValue("parley_disconnects_total{reason=\"limit\"}", 1);
            metrics.awaitValue("parley_access_streams_total{carrier=\"bearer\"}", 1);
        }
    }

    @Test
    void deniedCalls_areInTheLogAndTheMetrics_withoutTheToken() {
        Timeouts.await("the denial in the log, which has ten a minute at most")
                .until(
                        () -> {
                            call(ada, "GET /events?room=secret.room");
                            return pod.log()
                                    .contains(
                                            "what=GET:/events room=secret.room outcome=denied"
                                                    + " reason=forbidden");
                        });

        assertThat(pod.log()).contains("who=ada@" + TestTokens.ISSUER).doesNotContain(KITCHEN);
        assertThat(new Metrics(pod).value("parley_access_denied_total{reason=\"forbidden\"}"))
                .isPositive();
        assertThat(new Metrics(pod).value("parley_access_denied_total{reason=\"no-keys\"}"))
                .isZero();
    }

    @Test
    void unknownPathsAndPreflights_needNoToken() {
        assertThat(call(anybody, "GET /nothing").status()).isEqualTo(404);
        assertThat(call(anybody, "GET /").status()).isEqualTo(200);
        Http page =
                new Http(pod.uri())
                        .with("Origin", "https://app.example")
                        .with("Access-Control-Request-Method", "POST")
                        .with("Access-Control-Request-Headers", "Authorization");
        assertThat(page.call("OPTIONS", "/send").status()).isEqualTo(200);
    }

    @Test
    void openPod_looksAtNoToken_andHasNoTickets() {
        try (ParleyProcess open = ParleyProcess.start()) {
            Http http = AccessPods.with(open, "garbage");

            assertThat(http.sendForm("x", "room", "any", "from", "Bob").status()).isEqualTo(200);
            assertThat(http.get("/rooms/any/messages?access_token=x").status()).isEqualTo(200);
            for (String call : List.of("/tickets", "/revocations")) {
                Http.Answer answer =
                        http.post(call, "application/x-www-form-urlencoded", "sub=ada");
                assertThat(answer.status()).as(call).isEqualTo(404);
            }
        }
    }

    private static Http.Answer call(Http http, String call) {
        int space = call.indexOf(' ');
        String method = call.substring(0, space);
        String target = call.substring(space + 1);
        if (method.equals("POST") && !target.startsWith("/send")) {
            return http.post(target, "application/x-www-form-urlencoded", "sub=bob");
        }
        return http.call(method, target);
    }
}
