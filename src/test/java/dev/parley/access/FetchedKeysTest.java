package dev.parley.access;

import static dev.parley.access.TestTokens.jwk;
import static dev.parley.access.TestTokens.jwks;
import static dev.parley.access.TestTokens.token;
import static dev.parley.access.TokenRefused.Reason.ALGORITHM;
import static dev.parley.access.TokenRefused.Reason.NO_KEYS;
import static dev.parley.access.TokenRefused.Reason.SIGNATURE;
import static dev.parley.access.TokenRefused.Reason.UNKNOWN_KEY;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.parley.access.FetchedKeys.Pauses;
import dev.parley.testsupport.Timeouts;
import io.smallrye.jwt.algorithm.SignatureAlgorithm;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.jboss.logmanager.formatters.PatternFormatter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokens of an issuer that publishes its keys, on a server that works and on one that does not. */
final class FetchedKeysTest {

    private static final KeyPair OLD = TestTokens.pair("RSA");
    private static final KeyPair NEW = TestTokens.pair("RSA");

    private static final Duration NEVER = Duration.ofHours(1);
    private static final Duration SOON = Duration.ofMillis(20);

    /** Fetches once at start, and then only for unknown keys, at most once. */
    private static final Pauses ONCE = new Pauses(NEVER, NEVER, NEVER, NEVER);

    /** Fetches again and again. */
    private static final Pauses OFTEN = new Pauses(SOON, NEVER, SOON, SOON);

    private interface Answer {
        void write(HttpExchange exchange) throws IOException;
    }

    private final Vertx vertx = Vertx.vertx();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpServer server = server();
    private final AtomicInteger requests = new AtomicInteger();
    private final CountDownLatch testEnds = new CountDownLatch(1);
    private volatile Answer answer = set(jwks(jwk(OLD, "kid", "old", "use", "sig")));

    private HttpServer server() {
        try {
            var server =
                    HttpServer.create(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
            server.setExecutor(threads);
            server.createContext(
                    "/",
                    exchange -> {
                        requests.incrementAndGet();
                        try (exchange) {
                            answer.write(exchange);
                        }
                    });
            server.start();
            return server;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @AfterEach
    void stop() {
        testEnds.countDown();
        server.stop(0);
        threads.shutdownNow();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    private static Answer set(String json) {
        return status(200, json);
    }

    private static Answer status(int status, String body) {
        return exchange -> {
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
        };
    }

    private FetchedKeys keys(Pauses pauses) {
        return keys(pauses, Timeouts.LIMIT);
    }

    private FetchedKeys keys(Pauses pauses, Duration timeout) {
        var address = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/keys");
        var request = new JwksRequest(vertx, address, Optional.empty(), timeout);
        var algorithms =
                EnumSet.of(
                        SignatureAlgorithm.RS256,
                        SignatureAlgorithm.ES256,
                        SignatureAlgorithm.EDDSA);
        var keys =
                new FetchedKeys(
                        "test",
                        () -> request.send().map(json -> KeySet.parse(json, algorithms)),
                        pauses,
                        vertx);
        keys.start();
        return keys;
    }

    private Verifying verifying(IssuerKeys keys) {
        var claims = new ClaimsMapping("parley", "name", Optional.empty(), Map.of());
        var algorithms =
                EnumSet.of(
                        SignatureAlgorithm.RS256,
                        SignatureAlgorithm.ES256,
                        SignatureAlgorithm.EDDSA);
        return Verifying.of(
                new Issuer(
                        "test",
                        TestTokens.ISSUER,
                        Set.of(TestTokens.AUDIENCE),
                        algorithms,
                        keys,
                        claims),
                vertx);
    }

    /** Writes an Ed25519 key, whose bytes are the last 32 of its encoded form, as a JWK. */
    private static Map<String, Object> edJwk(KeyPair pair) {
        byte[] encoded = pair.getPublic().getEncoded();
        byte[] x = Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length);
        return Map.of("kty", "OKP", "crv", "Ed25519", "kid", "ed", "x", TestTokens.base64(x));
    }

    private static String signed(KeyPair pair, String kid) {
        return token().header("kid", kid).signed("RS256", pair);
    }

    @Test
    void tokenThatArrivesBeforeTheKeys_waitsForThem() {
        Verifying verifying = verifying(keys(ONCE));

        verifying.accept(signed(OLD, "old"));

        assertThat(requests).hasValue(1);
    }

    @Test
    void keyThatWasAdded_isFetchedWhenATokenNamesIt() {
        Verifying verifying = verifying(keys(ONCE));
        verifying.accept(signed(OLD, "old"));
        answer = set(jwks(jwk(OLD, "kid", "old"), jwk(NEW, "kid", "new")));

        verifying.accept(signed(NEW, "new"));

        verifying.accept(signed(OLD, "old"));
        assertThat(requests).hasValue(2);
    }

    @Test
    void unknownKeys_areAskedForOnlyOnceInAWhile() {
        Verifying verifying = verifying(keys(ONCE));
        verifying.accept(signed(OLD, "old"));

        for (int i = 0; i < 20; i++) {
            assertThat(verifying.refuse(signed(NEW, "invented" + i))).isEqualTo(UNKNOWN_KEY);
        }

        assertThat(requests).hasValue(2);
        verifying.accept(signed(OLD, "old"));
    }

    @Test
    void tokensThatArriveDuringAFetch_shareIt() {
        Verifying verifying = verifying(keys(ONCE));
        verifying.accept(signed(OLD, "old"));
        var arrived = new CountDownLatch(1);
        var release = new CountDownLatch(1);
        answer =
                exchange -> {
                    arrived.countDown();
                    await(release);
                    set(jwks(jwk(NEW, "kid", "new"))).write(exchange);
                };
        List<Uni<VerifiedToken>> waiting = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            String token = token().header("kid", "new").claim("jti", "t" + i).signed("RS256", NEW);
            waiting.add(verifying.verify(token).memoize().indefinitely());
        }
        waiting.forEach(one -> one.subscribe().with(ok -> {}, failed -> {}));
        await(arrived);

        release.countDown();

        waiting.forEach(
                one ->
                        assertThat(one.await().atMost(Timeouts.LIMIT).person().subject())
                                .isEqualTo("ada"));
        assertThat(requests).hasValue(2);
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(Timeouts.millis(), TimeUnit.MILLISECONDS)).isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void keyThatWasRemoved_isNotAcceptedAnyMore_notEvenForATokenThatWas() {
        FetchedKeys keys = keys(OFTEN);
        Verifying verifying = verifying(keys);
        String token = signed(OLD, "old");
        verifying.accept(token);

        answer = set(jwks(jwk(NEW, "kid", "new")));

        Timeouts.await("the new keys").until(() -> keys.current().hasKeyOf(Optional.of("new")));
        assertThat(verifying.refuse(token)).isEqualTo(UNKNOWN_KEY);
    }

    @Test
    void severalKeysWithOneId_areAllTried() {
        answer = set(jwks(jwk(NEW, "kid", "k"), jwk(OLD, "kid", "k")));
        Verifying verifying = verifying(keys(ONCE));

        verifying.accept(signed(OLD, "k"));
        verifying.accept(signed(NEW, "k"));
        assertThat(verifying.refuse(signed(TestTokens.pair("RSA"), "k"))).isEqualTo(SIGNATURE);
        assertThat(requests).hasValue(1);
    }

    @Test
    void tokenWithoutKeyId_whoseKeyIsNotAmongTheFirstFour_learnsThatItWasNotTried() {
        KeyPair last = TestTokens.pair("RSA");
        answer =
                set(
                        jwks(
                                jwk(OLD, "kid", "1"),
                                jwk(OLD, "kid", "2"),
                                jwk(OLD, "kid", "3"),
                                jwk(NEW, "kid", "4"),
                                jwk(last, "kid", "5")));
        Verifying verifying = verifying(keys(ONCE));

        verifying.accept(signed(last, "5"));
        verifying.accept(token().signed("RS256", NEW));
        TokenRefused refusal = verifying.refusal(token().signed("RS256", last));

        assertThat(refusal.reason()).isEqualTo(SIGNATURE);
        assertThat(refusal).hasMessageContaining("further ones were not tried");
    }

    @Test
    void keysWithoutId_areTriedForEveryToken_andFetchedWhenTheyWereReplaced() {
        answer = set(jwks(jwk(OLD)));
        Verifying verifying = verifying(keys(ONCE));
        verifying.accept(signed(OLD, "any"));
        verifying.accept(token().signed("RS256", OLD));
        answer = set(jwks(jwk(NEW)));

        verifying.accept(signed(NEW, "any"));

        assertThat(verifying.refuse(signed(OLD, "any"))).isEqualTo(SIGNATURE);
        assertThat(requests).hasValue(2);
    }

    @Test
    void tokenWithoutKeyId_isTriedWithTheKeysOfItsAlgorithm() {
        answer = set(jwks(jwk(NEW, "kid", "new"), jwk(OLD, "kid", "old")));

        verifying(keys(ONCE)).accept(token().signed("RS256", OLD));
    }

    @Test
    void keysForOtherUses_areNotUsed() {
        answer =
                set(
                        jwks(
                                jwk(OLD, "kid", "enc", "use", "enc"),
                                jwk(OLD, "kid", "other-alg", "alg", "PS512"),
                                jwk(NEW, "kid", "new", "use", "sig", "alg", "RS256")));
        Verifying verifying = verifying(keys(ONCE));

        verifying.accept(signed(NEW, "new"));
        assertThat(verifying.refuse(signed(OLD, "enc"))).isEqualTo(UNKNOWN_KEY);
        assertThat(verifying.refuse(signed(OLD, "other-alg"))).isEqualTo(UNKNOWN_KEY);
    }

    @Test
    void secretInTheSet_isNotUsed() {
        String secret = TestTokens.base64(TestTokens.SECRET);
        answer = set(jwks(Map.of("kty", "oct", "k", secret, "kid", "s"), jwk(OLD, "kid", "old")));
        Verifying verifying = verifying(keys(ONCE));

        assertThat(verifying.refuse(token().header("kid", "s").signed())).isEqualTo(ALGORITHM);
        verifying.accept(signed(OLD, "old"));
    }

    @Test
    void ellipticCurvesAndBrokenKeysInOneSet_areRead() {
        KeyPair ed = TestTokens.pair("Ed25519");
        answer =
                set(
                        jwks(
                                Map.of("kty", "RSA", "kid", "broken"),
                                Map.of("kty", "EC", "crv", "P-256", "x", "AA", "y", "AA"),
                                Map.of("kty", "martian", "kid", "m"),
                                edJwk(ed)));

        verifying(keys(ONCE)).accept(token().header("kid", "ed").signed("EdDSA", ed));
    }

    @Test
    void serverThatIsAwayAtStart_leavesTokensUncheckedUntilItIsThere() {
        answer = status(503, "away");
        Verifying verifying = verifying(keys(OFTEN));
        assertThat(verifying.refuse(signed(OLD, "old"))).isEqualTo(NO_KEYS);

        answer = set(jwks(jwk(OLD, "kid", "old")));

        Timeouts.await("the keys")
                .until(
                        () -> {
                            try {
                                verifying.accept(signed(OLD, "old"));
                                return true;
                            } catch (TokenRefused e) {
                                return false;
                            }
                        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "status",
                "redirect",
                "garbage",
                "list",
                "empty",
                "huge",
                "endless",
                "many",
                "useless",
                "cut"
            })
    void brokenAnswer_leavesTheLastKeysInForce(String kind) {
        FetchedKeys keys = keys(OFTEN);
        Verifying verifying = verifying(keys);
        verifying.accept(signed(OLD, "old"));
        int before = requests.get();

        answer = broken(kind);

        // Two more answers: the first request may have had the right one.
        Timeouts.await("two requests").until(() -> requests.get() > before + 2);
        Timeouts.await("a failure").until(() -> !keys.areUpToDate());
        verifying.accept(token().header("kid", "old").claim("jti", "later").signed("RS256", OLD));
        assertThat(verifying.refuse(signed(NEW, "new"))).isEqualTo(NO_KEYS);
    }

    private Answer broken(String kind) {
        String right = jwks(jwk(NEW, "kid", "new"));
        return switch (kind) {
            case "status" -> status(500, right);
            case "redirect" ->
                    exchange -> {
                        if (exchange.getRequestURI().getPath().equals("/keys")) {
                            exchange.getResponseHeaders().add("Location", "/elsewhere");
                            status(302, "").write(exchange);
                        } else {
                            set(right).write(exchange);
                        }
                    };
            case "garbage" -> set("<html>" + right);
            case "list" -> set("[" + right + "]");
            case "empty" -> set("");
            case "huge" -> set("{\"pad\":\"" + "x".repeat(300_000) + "\"," + right.substring(1));
            case "endless" ->
                    exchange -> {
                        exchange.sendResponseHeaders(200, 0);
                        OutputStream body = exchange.getResponseBody();
                        while (testEnds.getCount() > 0) {
                            body.write(new byte[64 * 1024]);
                        }
                    };
            case "many" -> set("{\"keys\":[" + "{},".repeat(100) + right.substring(9));
            case "useless" -> set(jwks(jwk(NEW, "kid", "new", "use", "enc")));
            case "cut" ->
                    exchange -> {
                        exchange.sendResponseHeaders(200, right.length());
                        exchange.getResponseBody()
                                .write(right.substring(0, 50).getBytes(StandardCharsets.UTF_8));
                        exchange.getResponseBody().flush();
                        throw new IOException("cut");
                    };
            default -> throw new IllegalArgumentException(kind);
        };
    }

    @Test
    void outage_isLoggedWhenItBeginsAndWhenItEnds() {
        List<String> lines = new CopyOnWriteArrayList<>();
        var handler =
                new Handler() {
                    @Override
                    public void publish(LogRecord line) {
                        lines.add(new PatternFormatter("%p %m").format(line));
                    }

                    @Override
                    public void flush() {}

                    @Override
                    public void close() {}
                };
        Logger logger = Logger.getLogger(FetchedKeys.class.getName());
        logger.addHandler(handler);
        try {
            FetchedKeys keys = keys(OFTEN);
            Timeouts.await("keys").until(keys::areUpToDate);
            answer = status(503, "away");
            int before = requests.get();
            Timeouts.await("failures").until(() -> requests.get() > before + 5);
            answer = set(jwks(jwk(OLD, "kid", "old")));
            Timeouts.await("keys").until(keys::areUpToDate);

            assertThat(lines).hasSize(3);
            assertThat(lines.get(0)).contains("INFO", "test: its keys were fetched (1)");
            assertThat(lines.get(1))
                    .contains(
                            "WARN", "test: its keys could not be fetched", "stay in force", "503");
            assertThat(lines.get(2)).contains("INFO", "test: its keys were fetched (1)");
        } finally {
            logger.removeHandler(handler);
        }
    }

    @Test
    void serverThatDoesNotAnswer_holdsNoTokenForLongerThanTheTimeout() {
        answer = exchange -> await(testEnds);
        Verifying verifying = verifying(keys(ONCE, Duration.ofMillis(100)));

        assertThat(verifying.refuse(signed(OLD, "old"))).isEqualTo(NO_KEYS);
    }

    @Test
    void answerThatTrickles_isGivenUp() {
        answer =
                exchange -> {
                    exchange.sendResponseHeaders(200, 0);
                    while (testEnds.getCount() > 0) {
                        exchange.getResponseBody().write(' ');
                        exchange.getResponseBody().flush();
                        Thread.onSpinWait();
                    }
                };
        Verifying verifying = verifying(keys(ONCE, Duration.ofMillis(100)));

        assertThat(verifying.refuse(signed(OLD, "old"))).isEqualTo(NO_KEYS);
    }

    @ParameterizedTest
    @CsvSource({"RS256, RSA", "EdDSA, Ed25519"})
    void outcome_arrivesOnTheContextOfTheCaller(String algorithm, String type) {
        KeyPair pair = type.equals("RSA") ? OLD : TestTokens.pair(type);
        answer = set(jwks(algorithm.equals("RS256") ? jwk(OLD) : edJwk(pair)));
        Verifying verifying = verifying(keys(ONCE));
        String token = token().signed(algorithm, pair);
        var context = vertx.getOrCreateContext();
        var done = new CompletableFuture<Context>();

        context.runOnContext(
                start ->
                        verifying
                                .verify(token)
                                .subscribe()
                                .with(
                                        ok -> done.complete(Vertx.currentContext()),
                                        done::completeExceptionally));

        assertThat(done).succeedsWithin(Timeouts.LIMIT).isSameAs(context);
    }
}
