package dev.parley.access;

import static dev.parley.access.TestTokens.jwk;
import static dev.parley.access.TestTokens.jwks;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http2Frames;
import dev.parley.testsupport.Http2Frames.Frame;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.Timeouts;
import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Many tokens or tickets of one address that are to be checked at the same moment: the tokens wait
 * for a key that is being fetched, the tickets for a Redis that hangs.
 */
class CredentialFloodIT {

    private static final int FLOOD = 300;
    private static final int BURST = 20;

    /**
     * Those that are checked while the flood is refused, at one a second: for up to half a minute.
     */
    private static final int MOST = BURST + 30;

    private static final String HEADS = "parley_held_bytes{kind=\"heads\"}";

    /** Requests on a connection of HTTP/2. */
    private static final int REQUESTS = 40;

    /** Those of them for which there is no room, at least. */
    private static final int REFUSED = 24;

    private static final KeyPair RSA = TestTokens.pair("RSA");
    private static final KeyPair EC = TestTokens.pair("secp256r1");
    private static final KeyPair OTHER_RSA = TestTokens.pair("RSA");
    private static final KeyPair OTHER_EC = TestTokens.pair("secp256r1");
    private static final String BEFORE = jwks(jwk(RSA, "kid", "k1"));
    private static final InetAddress ELSEWHERE = RawConnection.address("127.0.0.2");

    @AutoClose private static JwksServer keys;
    @AutoClose private static RedisServer redis;

    private final List<RawConnection> clients = new ArrayList<>();

    @BeforeAll
    static void start() {
        keys = new JwksServer(BEFORE);
        redis = RedisServer.start();
    }

    /** A pod that knows no key of the tokens yet. */
    private static ParleyProcess.Builder pod() {
        keys.answer(200, BEFORE);
        return settings();
    }

    /**
     * Waits for the keys too: a token that comes before them is checked as soon as they are there.
     */
    private static ParleyProcess start(ParleyProcess.Builder settings) {
        ParleyProcess pod = settings.fixedPort().start().awaitReady();
        pod.awaitLog("its keys were fetched");
        return pod;
    }

    private static ParleyProcess.Builder settings() {
        return AccessPods.builder()
                .config("parley.access.issuers.login.issuer", "login")
                .config("parley.access.issuers.login.audience", TestTokens.AUDIENCE)
                .config("parley.access.issuers.login.jwks", keys.uri())
                .config("parley.access.failure-burst", Integer.toString(BURST))
                .config("parley.access.failure-rate", "1");
    }

    private static List<String> tokens(String algorithm, KeyPair pair) {
        return IntStream.range(0, FLOOD).mapToObj(i -> token(i).signed(algorithm, pair)).toList();
    }

    private static TestTokens token(int number) {
        return AccessPods.tokenFor("kitchen")
                .header("kid", "new")
                .claim("iss", "login")
                .claim("jti", "t" + number);
    }

    private void send(ParleyProcess pod, InetAddress from, String path, String header) {
        String request =
                "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + header + "\r\n";
        clients.add(
                RawConnection.open(pod.port(), from, request.getBytes(StandardCharsets.US_ASCII)));
    }

    private void sendToken(ParleyProcess pod, InetAddress from, String token) {
        send(pod, from, "/rooms/kitchen/messages", "Authorization: Bearer " + token + "\r\n");
    }

    /** Sends tokens that wait for their key, and has it published when all of them wait. */
    private void sendTogether(ParleyProcess pod, List<String> tokens, String elsewhere) {
        keys.hold();
        tokens.forEach(token -> sendToken(pod, InetAddress.getLoopbackAddress(), token));
        sendToken(pod, ELSEWHERE, elsewhere);
        var metrics = new Metrics(pod);
        Timeouts.await("all wait").until(() -> metrics.activeRequests() == FLOOD + 1);
        keys.answer(200, jwks(jwk(RSA, "kid", "new"), TestTokens.ecJwk(EC, "kid", "new")));
        keys.release();
    }

    /** A HEAD does not become a stream, so it is reset where there is no room for it. */
    @ParameterizedTest
    @CsvSource({
        "GET, /events?room=kitchen, false",
        "GET, /clock, false",
        "HEAD, /clock, true",
    })
    void requestsForStreamsOnHttp2_whoseTokensWait_areBoundedInSum(
            String method, String path, boolean isReset) {
        keys.answer(200, BEFORE);
        try (ParleyProcess pod = start(settings().config("parley.limits.head-bytes", "400K"))) {
            keys.hold();
            assertBoundedInSum(
                    pod,
                    i -> fields(method, path, token(i).signed("RS256", RSA)),
                    isReset ? Frame.REFUSED_STREAM : Frame.NO_ERROR,
                    () -> {
                        keys.answer(200, jwks(jwk(RSA, "kid", "new")));
                        keys.release();
                    });
        } finally {
            close();
        }
    }

    /** Sixteen are looked up; the others wait for these. */
    @Test
    void requestsForStreamsOnHttp2_whoseTicketsWait_areBoundedInSum_andFurtherOnesGetAGoodbye() {
        try (ParleyProcess pod = startWithRedis()) {
            redis.pause();
            assertBoundedInSum(pod, CredentialFloodIT::ticketFields, Frame.NO_ERROR, redis::resume);
            assertThat(clients.get(0).text().split("\"unavailable\"", -1))
                    .hasSizeGreaterThan(REFUSED);
        } finally {
            redis.resume();
            close();
        }
    }

    @Test
    void requestsForStreamsOnHttp2_whoseTicketsWait_areReset_ifTheirClientTakesNoGoodbye() {
        try (ParleyProcess pod = startWithRedis()) {
            redis.pause();
            RawConnection client =
                    sendRequests(
                            pod,
                            Http2Frames.connectionWithoutWindow(),
                            CredentialFloodIT::ticketFields);

            Http2Frames.await(client, frame -> frame.type() == Http2Frames.RST_STREAM, REFUSED);
            assertHeadsAreBounded(new Metrics(pod));
            client.close();
            redis.resume();
            new Metrics(pod).awaitValue(HEADS, 0);
        } finally {
            redis.resume();
            close();
        }
    }

    private static ParleyProcess startWithRedis() {
        return start(
                pod().config("parley.limits.head-bytes", "400K")
                        .config("parley.redis.timeout", "60S")
                        .redis(redis.uri()));
    }

    private static byte[] ticketFields(int number) {
        return Http2Frames.fields("/events?room=kitchen&ticket=bad" + number);
    }

    /**
     * Sends requests, each of which takes kilobytes, however little is sent for it, and none of
     * which counts as a stream yet. There is room for some of them to wait; the others are answered
     * at once, with the head of a stream or a reset.
     *
     * @param error with which the others are reset; {@link Frame#NO_ERROR} if they are not
     */
    private void assertBoundedInSum(
            ParleyProcess pod, IntFunction<byte[]> fields, int error, Runnable goOn) {
        var metrics = new Metrics(pod);
        RawConnection client = sendRequests(pod, Http2Frames.connection(), fields);

        boolean isReset = error != Frame.NO_ERROR;
        Http2Frames.await(
                client,
                frame -> isReset ? frame.error() == error : frame.type() == Http2Frames.HEADERS,
                REFUSED);
        assertHeadsAreBounded(metrics);
        // Another address has its share.
        sendToken(pod, ELSEWHERE, "bad");
        clients.get(1).readToEnd();
        assertThat(clients.get(1).text()).startsWith("HTTP/1.1 401");

        goOn.run();
        int reset = resets(client);
        Http2Frames.await(client, frame -> frame.type() == Http2Frames.HEADERS, REQUESTS - reset);
        // Streams that are open do not count.
        metrics.awaitValue(HEADS, 0);
        assertThat(resets(client)).isEqualTo(reset);
        assertThat(reset > 0).isEqualTo(isReset);
        assertThat(pod.log()).doesNotContain(" ERROR ");
    }

    private static int resets(RawConnection client) {
        return (int)
                Http2Frames.received(client).stream()
                        .filter(frame -> frame.type() == Http2Frames.RST_STREAM)
                        .count();
    }

    /** There is room for a quarter of 400 KB. */
    private static void assertHeadsAreBounded(Metrics metrics) {
        assertThat(metrics.value(HEADS)).isBetween(60_000.0, 100.0 * 1024);
    }

    private RawConnection sendRequests(
            ParleyProcess pod, Http2Frames connection, IntFunction<byte[]> fields) {
        RawConnection client = RawConnection.open(pod.port(), connection.toBytes());
        clients.add(client);
        for (int i = 0; i < REQUESTS; i++) {
            client.send(
                    Http2Frames.more()
                            .request(2 * i + 1, fields.apply(i))
                            .frame(Http2Frames.PING, 0, 0, new byte[8])
                            .toBytes());
            // A part of a frame would count too, and end the connection when there is no room.
            Http2Frames.await(client, frame -> frame.type() == Http2Frames.PING, i + 1);
        }
        return client;
    }

    private static byte[] fields(String method, String path, String token) {
        byte[] get = Http2Frames.fields(path);
        var block = new ByteArrayOutputStream();
        // The name of the method is the second one in the static table of HPACK.
        block.write(2);
        block.write(method.length());
        block.writeBytes(method.getBytes(StandardCharsets.US_ASCII));
        block.write(get, 1, get.length - 1);
        block.writeBytes(Http2Frames.field("authorization", "Bearer " + token));
        return block.toByteArray();
    }

    /** Counts the answers that begin with this, after all have come. */
    private long answers(String status) {
        clients.forEach(RawConnection::readToEnd);
        return clients.stream().filter(one -> one.text().startsWith("HTTP/1.1 " + status)).count();
    }

    private void close() {
        // Where a test has failed, the further ones need the keys.
        keys.release();
        clients.forEach(RawConnection::close);
    }

    @ParameterizedTest
    @CsvSource({"RS256", "ES256"})
    void badTokensThatArriveTogether_areCheckedUpToTheBurst_andAnotherAddressIsServed(
            String algorithm) {
        boolean isRsa = algorithm.equals("RS256");
        try (ParleyProcess pod = start(pod())) {
            List<String> bad = tokens(algorithm, isRsa ? OTHER_RSA : OTHER_EC);
            sendTogether(pod, bad, token(0).signed(algorithm, isRsa ? RSA : EC));

            assertThat(answers("200")).isOne();
            assertThat(clients.get(FLOOD).text()).startsWith("HTTP/1.1 200");
            assertThat(answers("401")).isBetween((long) BURST, (long) MOST);
            assertThat(answers("429")).isEqualTo(FLOOD - answers("401"));
            var metrics = new Metrics(pod);
            assertThat(metrics.value("parley_access_denied_total{reason=\"signature\"}"))
                    .isEqualTo((double) answers("401"));
            assertThat(metrics.value("parley_access_denied_total{reason=\"too-many\"}"))
                    .isEqualTo((double) answers("429"));
        } finally {
            close();
        }
    }

    /**
     * The keys may have been replaced, so they are fetched, and then the tokens are checked anew.
     */
    @ParameterizedTest
    @CsvSource({"RS256", "ES256"})
    void badTokensWithoutTheIdOfAKey_areCheckedUpToTheBurst_andTheOthersAreRefused(
            String algorithm) {
        boolean isRsa = algorithm.equals("RS256");
        keys.answer(200, jwks(jwk(RSA), TestTokens.ecJwk(EC)));
        try (ParleyProcess pod = start(settings())) {
            int before = keys.requests();
            keys.hold();
            for (int i = 0; i < FLOOD; i++) {
                TestTokens bad = token(i).header("kid", null);
                sendToken(
                        pod,
                        InetAddress.getLoopbackAddress(),
                        bad.signed(algorithm, isRsa ? OTHER_RSA : OTHER_EC));
            }
            var metrics = new Metrics(pod);
            Timeouts.await("all wait").until(() -> metrics.activeRequests() == FLOOD);
            Timeouts.await("the keys are fetched").until(() -> keys.requests() > before);
            keys.release();

            long checked = answers("401");
            assertThat(checked).isBetween((long) BURST, (long) MOST);
            assertThat(answers("429")).isEqualTo(FLOOD - checked);
        } finally {
            close();
        }
    }

    @ParameterizedTest
    @CsvSource({"RS256", "ES256"})
    void validTokensThatArriveTogether_areAllAccepted(String algorithm) {
        KeyPair pair = algorithm.equals("RS256") ? RSA : EC;
        try (ParleyProcess pod = start(pod())) {
            sendTogether(pod, tokens(algorithm, pair), token(0).signed(algorithm, pair));

            assertThat(answers("200")).isEqualTo(FLOOD + 1);
        } finally {
            close();
        }
    }

    @Test
    void tokenOfANewKeyWithoutAnId_isAccepted_alsoIfItComesTwiceWhileTheKeysAreFetched() {
        keys.answer(200, jwks(jwk(RSA)));
        try (ParleyProcess pod = start(settings())) {
            var metrics = new Metrics(pod);
            int before = keys.requests();
            keys.hold();
            String token = token(0).header("kid", null).signed("RS256", OTHER_RSA);
            sendToken(pod, InetAddress.getLoopbackAddress(), token);
            Timeouts.await("the keys are fetched").until(() -> keys.requests() > before);
            sendToken(pod, InetAddress.getLoopbackAddress(), token);
            Timeouts.await("both wait").until(() -> metrics.activeRequests() == 2);
            keys.answer(200, jwks(jwk(OTHER_RSA)));
            keys.release();

            assertThat(answers("200")).isEqualTo(2);
        } finally {
            close();
        }
    }

    @Test
    void ticketsThatArriveTogether_areLookedUpUpToTheBurst_andValidOnesAreAllAccepted() {
        try (ParleyProcess pod =
                pod().fixedPort()
                        .config("parley.redis.timeout", "60S")
                        .redis(redis.uri())
                        .start()
                        .awaitReady()) {
            String ticket = AccessPods.ticket(pod, AccessPods.tokenFor("kitchen").signed());
            var metrics = new Metrics(pod);
            redis.pause();
            for (int i = 0; i < FLOOD; i++) {
                sendTicket(pod, InetAddress.getLoopbackAddress(), "bad" + i);
                sendTicket(pod, ELSEWHERE, ticket);
            }
            Timeouts.await("all wait").until(() -> metrics.activeRequests() == 2 * FLOOD);
            redis.resume();

            metrics.awaitValue("parley_access_streams_total{carrier=\"ticket\"}", FLOOD);
            Timeouts.await("all are answered")
                    .until(() -> lookedUp(metrics) + refused(metrics) == FLOOD);
            assertThat(lookedUp(metrics)).isBetween((double) BURST, (double) MOST);
        } finally {
            close();
        }
    }

    private void sendTicket(ParleyProcess pod, InetAddress from, String ticket) {
        send(pod, from, "/events?room=kitchen&ticket=" + ticket, "");
    }

    private static double lookedUp(Metrics metrics) {
        return metrics.value("parley_access_denied_total{reason=\"unknown-ticket\"}");
    }

    private static double refused(Metrics metrics) {
        return metrics.value("parley_access_denied_total{reason=\"too-many\"}");
    }
}
