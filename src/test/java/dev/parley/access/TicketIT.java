package dev.parley.access;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Tickets for EventSource, on two pods of one Redis. */
class TicketIT {

    @AutoClose private static RedisServer redis;

    private static ParleyProcess one;
    private static ParleyProcess other;

    @BeforeAll
    static void startPods() {
        redis = RedisServer.start();
        one = pod("5M");
        other = pod("5M");
    }

    private static ParleyProcess pod(String ticketLifetime) {
        return pod().config("parley.access.ticket-lifetime", ticketLifetime).start().awaitReady();
    }

    private static ParleyProcess.Builder pod() {
        return AccessPods.builder()
                .redis(redis.uri())
                .config("quarkus.http.access-log.enabled", "true");
    }

    @AfterAll
    static void stopPods() {
        one.close();
        other.close();
    }

    @Test
    void ticket_opensStreamsOnEveryPod_againAndAgain() {
        String token = AccessPods.tokenFor("tickets.*").signed();
        String ticket = AccessPods.ticket(one, token);
        // A path may end in a slash.
        assertThat(
                        new Http(one.uri())
                                .call("HEAD", "/events/?room=tickets.a&ticket=" + ticket)
                                .status())
                .isEqualTo(200);
        for (ParleyProcess pod : List.of(other, one, other)) {
            try (SseReader reader = open(pod, "room=tickets.a&ticket=" + ticket)) {
                assertThat(reader.awaitLastEventId().status()).isEqualTo(200);
            }
        }
        // Counted once the stream is open, when its client may have read from it already.
        String counted = "parley_access_streams_total{carrier=\"ticket\"}";
        Timeouts.await("both streams are counted")
                .until(() -> new Metrics(other).value(counted) >= 2);
    }

    @Test
    void answer_saysForWhichRooms_andHowLong() {
        String token = TestTokens.token().rights(List.of("a.*", "b"), List.of("c")).signed();

        JsonNode all = AccessPods.ticketAnswer(one, token, "").json();
        JsonNode some = AccessPods.ticketAnswer(one, token, "room=a.x").json();
        Http.Answer none = AccessPods.ticketAnswer(one, token, "room=a.x&room=c");

        assertThat(all.get("rooms")).extracting(JsonNode::asText).contains("a.*", "b");
        assertThat(all.get("expires_in").asLong()).isBetween(290L, 300L);
        assertThat(some.get("rooms")).extracting(JsonNode::asText).containsExactly("a.x");
        assertThat(none.status()).isEqualTo(403);
    }

    @Test
    void ticketForSomeRooms_opensNoOther_andPublishesNothing() {
        String token = AccessPods.tokenFor("narrow.*").signed();
        String ticket =
                AccessPods.ticketAnswer(one, token, "room=narrow.a").json().get("ticket").asText();
        Http http = new Http(one.uri());

        assertThat(http.call("HEAD", "/events?room=narrow.a&ticket=" + ticket).status())
                .isEqualTo(200);
        assertThat(http.get("/events?room=narrow.b&ticket=" + ticket).status()).isEqualTo(403);
        assertThat(http.sendForm("x", "room", "narrow.a", "ticket", ticket).status())
                .isEqualTo(401);
    }

    /** If they were read as something else, the ticket would be for all that the token permits. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "application/x-www-form-urlencoded | room=narrow.a",
                "application/x-www-form-urlencoded | \uFEFFroom=narrow.a",
                "text/plain;charset=UTF-8          | room=narrow.a",
                "application/x-www-form-urlencoded | room=narrow%2ea"
            })
    void formOfAnyKind_isRead(String type, String form) {
        Http.Answer answer = narrow().post("/tickets", type, form);

        assertThat(answer.json().get("rooms"))
                .extracting(JsonNode::asText)
                .containsExactly("narrow.a");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/tickets               | application/json                   | {\"room\":\"narrow.a\"} | 415",
                "/tickets               | multipart/form-data;boundary=b     | --b             | 415",
                "/tickets               | text/plain;charset=klingon         | room=narrow.a   | 415",
                "/tickets               | application/x-www-form-urlencoded  | rooms=narrow.a  | 400",
                "/tickets?room=narrow.a | application/x-www-form-urlencoded  | room=narrow.a   | 400",
                "/tickets               | application/x-www-form-urlencoded  | room=a;room=b   | 400",
                "/tickets               | application/x-www-form-urlencoded  | room=           | 400"
            })
    void whatWouldBeIgnored_isRefused(String path, String type, String form, int status) {
        assertThat(narrow().post(path, type, form).status()).isEqualTo(status);
    }

    private static Http narrow() {
        return AccessPods.with(one, AccessPods.tokenFor("narrow.*").signed());
    }

    /**
     * A token is accepted for a while after its end, since clocks differ. A ticket would be dead.
     */
    @Test
    void tokenWhoseTimeIsOver_getsNoTicket() {
        long now = Instant.now().getEpochSecond();
        TestTokens token = AccessPods.tokenFor("a").claim("iat", now - 60).claim("exp", now - 5);

        Http.Answer answer = AccessPods.ticketAnswer(one, token.signed(), "");

        assertThat(answer.status()).isEqualTo(401);
        assertThat(answer.json().get("code").asText()).isEqualTo("invalid-token");
    }

    @Test
    void unknownTicket_isRefused() {
        Http.Answer answer = new Http(one.uri()).get("/events?room=a&ticket=unknown");

        assertThat(answer.status()).isEqualTo(401);
        assertThat(answer.body()).contains("POST /tickets");
    }

    @Test
    void ticketsOfOnePerson_areBounded_andAnotherPersonGetsOne() {
        try (ParleyProcess limited =
                AccessPods.builder()
                        .config("parley.access.ticket-rate", "1")
                        .config("parley.access.ticket-burst", "3")
                        .start()) {
            TestTokens token = AccessPods.tokenFor("a");
            Http.Answer answer = AccessPods.ticketAnswer(limited, token.signed(), "");
            for (int i = 0; i < 200 && answer.status() == 200; i++) {
                // Another name, or another token, is no other person.
                String again = token.claim("name", "name " + i).claim("jti", "id " + i).signed();
                answer = AccessPods.ticketAnswer(limited, again, "");
            }
            String other = AccessPods.tokenFor("a").claim("sub", "bob").signed();

            assertThat(answer.status()).isEqualTo(429);
            assertThat(answer.header("Retry-After")).isNotBlank();
            assertThat(AccessPods.ticketAnswer(limited, other, "").status()).isEqualTo(200);
        }
    }

    @Test
    void ticketIsGiven_forABearerTokenOnly() {
        String ticket = AccessPods.ticket(one, AccessPods.tokenFor("a").signed());

        Http.Answer byTicket =
                new Http(one.uri())
                        .post("/tickets?ticket=" + ticket, "application/x-www-form-urlencoded", "");

        assertThat(byTicket.status()).isEqualTo(400);
    }

    @Test
    void ticket_endsAfterItsLastUse_butNotWhileAStreamIsOpen() {
        try (ParleyProcess brief = pod("5S")) {
            String token = AccessPods.tokenFor("brief").signed();
            String used = AccessPods.ticket(brief, token);
            String unused = AccessPods.ticket(brief, token);
            String query = "room=brief&ticket=";
            try (SseReader reader = open(brief, query + used)) {
                reader.awaitLastEventId();
                Http http = new Http(brief.uri());
                String marker = AccessPods.ticket(brief, token);

                // The keys of tickets that are not used end by themselves.
                Timeouts.await("the unused tickets end")
                        .until(() -> !exists(unused) && !exists(marker));

                assertThat(exists(used)).isTrue();
                assertThat(http.call("HEAD", "/events?" + query + unused).status()).isEqualTo(401);
                assertThat(http.call("HEAD", "/events?" + query + used).status()).isEqualTo(200);
            }
            Timeouts.await("the used ticket ends").until(() -> !exists(used));
        }
    }

    /** On these versions the framework does not report the end of a stream that it ended. */
    @ParameterizedTest
    @EnumSource(
            value = HttpClient.Version.class,
            names = {"HTTP_1_1", "HTTP_2"})
    void ticket_endsAfterAStreamThatThePodHasEnded(HttpClient.Version version) {
        try (ParleyProcess brief =
                pod().config("parley.access.ticket-lifetime", "8S")
                        .config("parley.events.max-connection-age", "2S")
                        .start()
                        .awaitReady()) {
            String ticket = AccessPods.ticket(brief, AccessPods.tokenFor("brief").signed());
            String target = "/events?room=brief&ticket=" + ticket;

            String stream =
                    version == HttpClient.Version.HTTP_2
                            ? http2(brief.uri(target))
                            : new Http(brief.uri()).raw("GET " + target + " HTTP/1.0\r\n\r\n");

            assertThat(stream).contains("{\"reason\":\"rotation\"}");
            Timeouts.await("the ticket ends").until(() -> !exists(ticket));
        }
    }

    @Test
    void ticket_endsAfterAStreamThatIsRefused() {
        try (ParleyProcess full =
                        pod().config("parley.access.ticket-lifetime", "8S")
                                .config("parley.limits.connections", "1")
                                .start()
                                .awaitReady();
                SseReader reader =
                        AccessPods.reader(full, "room=full", AccessPods.tokenFor("full").signed())
                                .open()) {
            reader.awaitLastEventId();
            String ticket = AccessPods.ticket(full, AccessPods.tokenFor("full").signed());

            String stream = http2(full.uri("/events?room=full&ticket=" + ticket));

            assertThat(stream).contains("{\"reason\":\"limit\"}");
            Timeouts.await("the ticket ends").until(() -> !exists(ticket));
        }
    }

    private static String http2(URI uri) {
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
        HttpResponse<String> answer =
                client.sendAsync(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString())
                        .orTimeout(Timeouts.millis(), TimeUnit.MILLISECONDS)
                        .join();
        assertThat(answer.version()).isEqualTo(HttpClient.Version.HTTP_2);
        return answer.body();
    }

    @Test
    void ticket_doesNotOutliveItsToken() {
        String token =
                AccessPods.tokenFor("short")
                        .claim("exp", Instant.now().getEpochSecond() + 8)
                        .signed();
        String ticket = AccessPods.ticket(one, token);
        try (SseReader reader = open(one, "room=short&ticket=" + ticket)) {
            assertThat(reader.awaitEvent("goodbye").data()).isEqualTo("{\"reason\":\"expired\"}");
        }
        Timeouts.await("the ticket ends")
                .until(
                        () ->
                                new Http(one.uri())
                                                .call("HEAD", "/events?room=short&ticket=" + ticket)
                                                .status()
                                        == 401);
    }

    @Test
    void whileRedisIsAway_aTicketOpensAStreamThatEndsAtOnce_andIsOfUseAgainLater() {
        try (RedisServer mortal = RedisServer.builder().persistent().start();
                ParleyProcess pod =
                        AccessPods.builder()
                                .quickToDetectFaults()
                                // A lookup on its way when Redis is paused waits for as long.
                                .config("parley.redis.timeout", "2S")
                                .redis(mortal.uri())
                                .start()
                                .awaitReady()) {
            String ticket = AccessPods.ticket(pod, AccessPods.tokenFor("away").signed());
            mortal.pause();
            try (SseReader reader =
                    SseReader.to(pod.uri("/events?room=away&ticket=" + ticket))
                            .lastEventId("k3f9-7")
                            .reconnecting()
                            .open()) {
                assertThat(reader.awaitEvent("goodbye").data())
                        .isEqualTo("{\"reason\":\"unavailable\"}");
                assertThat(reader.lastEventId()).isEqualTo("k3f9-7");

                mortal.resume();

                reader.awaitEvent("gap");
            }
        }
    }

    /** Its client comes back with it. */
    @Test
    void ticketOfAnOpenStream_thatRedisHasLost_isGivenBack() {
        try (RedisServer forgetful = RedisServer.start();
                ParleyProcess pod =
                        AccessPods.builder()
                                .redis(forgetful.uri())
                                .config("parley.access.ticket-lifetime", "5S")
                                .start()
                                .awaitReady()) {
            String query =
                    "room=kept&ticket="
                            + AccessPods.ticket(pod, AccessPods.tokenFor("kept").signed());
            String left = AccessPods.ticket(pod, AccessPods.tokenFor("kept").signed());
            try (SseReader reader = open(pod, query)) {
                reader.awaitLastEventId();
                forgetful.command("FLUSHALL");

                Timeouts.await("the ticket of the stream")
                        .until(
                                () ->
                                        forgetful
                                                        .command("KEYS", "parley:{:ticket:*")
                                                        .items()
                                                        .size()
                                                == 1);
                assertThat(new Http(pod.uri()).call("HEAD", "/events?" + query).status())
                        .isEqualTo(200);
                assertThat(
                                new Http(pod.uri())
                                        .call("HEAD", "/events?room=kept&ticket=" + left)
                                        .status())
                        .isEqualTo(401);
            }
        }
    }

    @Test
    void ticketsAreKept_byTheirDigestAlone_andAreNotInTheLog() {
        String ticket = AccessPods.ticket(one, AccessPods.tokenFor("logged").signed());
        try (SseReader reader = open(one, "room=logged&ticket=" + ticket)) {
            reader.awaitLastEventId();
        }
        new Http(one.uri()).get("/events?room=forbidden&ticket=" + ticket);
        one.awaitLog("room=forbidden outcome=denied");
        one.awaitLog("\"GET /events HTTP/1.1\" 403");

        assertThat(redis.command("KEYS", "*" + ticket + "*").items()).isEmpty();
        assertThat(redis.command("KEYS", "parley:{:ticket:*").items()).isNotEmpty();
        assertThat(one.log()).doesNotContain(ticket);
    }

    @Test
    void stream_livesThroughTwentyRenewals_underLoad_andNothingIsLostOrRepeated() {
        String room = "renewed";
        Http publisher = AccessPods.with(one, AccessPods.tokenFor(room).signed());
        var tickets =
                new Object() {
                    int given;

                    URI next() {
                        given++;
                        String token =
                                AccessPods.tokenFor(room)
                                        .claim("exp", Instant.now().getEpochSecond() + 4)
                                        .signed();
                        ParleyProcess pod = given % 2 == 0 ? one : other;
                        String ticket = AccessPods.ticket(pod, token);
                        return pod.uri("/events?room=" + room + "&ticket=" + ticket);
                    }
                };
        try (SseReader reader = SseReader.to(tickets::next).reconnecting().open()) {
            reader.awaitLastEventId();
            int sent = 0;
            long deadline = System.nanoTime() + Timeouts.LIMIT.toNanos();
            while (reader.connections() <= 20 && !reader.closed()) {
                assertThat(publisher.sendForm(Integer.toString(++sent), "room", room).status())
                        .isEqualTo(200);
                assertThat(System.nanoTime()).as("twenty renewals in time").isLessThan(deadline);
            }
            assertThat(reader.closed()).isFalse();
            List<String> all = IntStream.rangeClosed(1, sent).mapToObj(Integer::toString).toList();

            reader.awaitMessages(sent);

            assertThat(reader.data()).isEqualTo(all);
            assertThat(reader.events("gap")).isEmpty();
            assertThat(reader.events("goodbye"))
                    .extracting(SseReader.Event::data)
                    .containsOnly("{\"reason\":\"expired\"}");
        }
    }

    private static SseReader open(ParleyProcess pod, String query) {
        return SseReader.open(pod.uri("/events?" + query));
    }

    private static boolean exists(String ticket) {
        String key = "parley:{:ticket:" + AccessStore.TicketDigest.of(ticket).value() + "}";
        return redis.command("EXISTS", key).number() == 1;
    }
}
