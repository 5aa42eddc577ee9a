package dev.parley.access;

import static dev.parley.access.TestTokens.jwk;
import static dev.parley.access.TestTokens.jwks;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.Timeouts;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Attacks with tokens on a pod that has an issuer with published keys and one with a secret, over
 * HTTP. {@link TokenVerifierTest} has many more of each kind.
 */
class TokenAttackIT {

    private static final KeyPair KEY = TestTokens.pair("RSA");
    private static final KeyPair NEXT = TestTokens.pair("RSA");
    private static final KeyPair ATTACKER = TestTokens.pair("RSA");

    /** The issuer with a secret; that of {@link TestTokens} publishes its keys. */
    private static final String OTHER = "other";

    private static JwksServer issuer;
    private static ParleyProcess pod;

    @BeforeAll
    static void start() {
        issuer = new JwksServer(jwks(jwk(KEY, "kid", "k1", "use", "sig")));
        pod =
                AccessPods.builder()
                        .config("parley.access.issuers.test.issuer", OTHER)
                        .config("parley.access.issuers.login.issuer", TestTokens.ISSUER)
                        .config("parley.access.issuers.login.audience", TestTokens.AUDIENCE)
                        .config("parley.access.issuers.login.jwks", issuer.uri())
                        .config("parley.access.failure-burst", "1000000")
                        .start()
                        .awaitReady();
    }

    @AfterAll
    static void stop() {
        pod.close();
        issuer.close();
    }

    private static TestTokens token() {
        return AccessPods.tokenFor("kitchen").header("kid", "k1");
    }

    private static Http.Answer call(String token) {
        return AccessPods.with(pod, token).get("/rooms/kitchen/messages");
    }

    static Stream<Arguments> attacks() {
        long now = Instant.now().getEpochSecond();
        byte[] pem = TestTokens.pem(KEY).getBytes(StandardCharsets.US_ASCII);
        Map<String, Object> jwk = jwk(ATTACKER, "kid", "mine");
        return Stream.of(
                Arguments.of("no signature", token().unsigned("none")),
                Arguments.of("public key as secret", token().hmac("HS256", pem)),
                Arguments.of(
                        "public key as secret, in DER",
                        token().hmac("HS256", KEY.getPublic().getEncoded())),
                Arguments.of("secret of another issuer", token().signed()),
                Arguments.of(
                        "key of another issuer", token().claim("iss", OTHER).signed("RS256", KEY)),
                Arguments.of("wrong key", token().signed("RS256", ATTACKER)),
                Arguments.of(
                        "unknown key", token().header("kid", "mine").signed("RS256", ATTACKER)),
                Arguments.of(
                        "key in the header",
                        token().header("jwk", jwk).header("kid", "mine").signed("RS256", ATTACKER)),
                Arguments.of(
                        "address of keys in the header",
                        token().header("jku", "http://127.0.0.1:1/").signed("RS256", ATTACKER)),
                Arguments.of(
                        "expired",
                        token().claim("iat", now - 600)
                                .claim("exp", now - 60)
                                .signed("RS256", KEY)),
                Arguments.of("not yet", token().claim("nbf", now + 60).signed("RS256", KEY)),
                Arguments.of("wrong audience", token().claim("aud", "x").signed("RS256", KEY)),
                Arguments.of("wrong issuer", token().claim("iss", "x").signed("RS256", KEY)),
                Arguments.of(
                        "pattern", token().rights(List.of("k*n"), List.of()).signed("RS256", KEY)),
                Arguments.of(
                        "NUL",
                        token().rights(List.of("kitchen\u0000"), List.of()).signed("RS256", KEY)),
                Arguments.of("huge", token().claim("pad", "x".repeat(7000)).signed("RS256", KEY)),
                Arguments.of("rubbish", "a.b.c"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("attacks")
    void attack_isRefused_andNeitherTheAnswerNorTheLogRepeatsTheToken(String kind, String token) {
        Http.Answer answer = call(token);

        assertThat(answer.status()).isEqualTo(401);
        assertThat(answer.json().path("code").asText()).isEqualTo("invalid-token");
        assertThat(answer.header("WWW-Authenticate")).contains("error=\"invalid_token\"");
        assertThat(answer.body()).doesNotContain(token);
        assertThat(pod.log()).doesNotContain(token);
    }

    @Test
    void tokensOfBothIssuers_areAccepted() {
        assertThat(call(token().signed("RS256", KEY)).status()).isEqualTo(200);
        assertThat(call(token().claim("iss", OTHER).signed()).status()).isEqualTo(200);
    }

    /** Ids of keys and of people are the issuer's own. */
    @Test
    void twoIssuersWithTheSameIds_areNotMixedUp() {
        try (var keys = new JwksServer(jwks(jwk(NEXT, "kid", "k1")));
                var both =
                        AccessPods.builder()
                                .config("parley.access.issuers.login.issuer", "login")
                                .config("parley.access.issuers.login.audience", "parley")
                                .config("parley.access.issuers.login.jwks", issuer.uri())
                                .config("parley.access.issuers.twin.issuer", "twin")
                                .config("parley.access.issuers.twin.audience", "parley")
                                .config("parley.access.issuers.twin.jwks", keys.uri())
                                .start()
                                .awaitReady()) {
            String login = token().claim("iss", "login").claim("jti", "1").signed("RS256", KEY);
            String twin = token().claim("iss", "twin").claim("jti", "1").signed("RS256", NEXT);
            assertThat(status(both, login)).isEqualTo(200);
            assertThat(status(both, twin)).isEqualTo(200);
            assertThat(status(both, token().claim("iss", "login").signed("RS256", NEXT)))
                    .isEqualTo(401);
            assertThat(status(both, token().claim("iss", "twin").signed("RS256", KEY)))
                    .isEqualTo(401);

            String admin =
                    TestTokens.token()
                            .claim("sub", "root")
                            .claim("parley", Map.of("admin", true))
                            .signed();
            assertThat(AccessPods.revoke(both, admin, "sub=ada&iss=twin").status()).isEqualTo(200);

            assertThat(status(both, twin)).isEqualTo(401);
            assertThat(status(both, login)).isEqualTo(200);
            assertThat(AccessPods.revoke(both, admin, "jti=1&iss=login").status()).isEqualTo(200);
            assertThat(status(both, login)).isEqualTo(401);
        }
    }

    private static int status(ParleyProcess pod, String token) {
        return AccessPods.with(pod, token).get("/rooms/kitchen/messages").status();
    }

    @Test
    void newKey_isAcceptedAsSoonAsItIsPublished() {
        try (var keys = new JwksServer(jwks(jwk(KEY, "kid", "k1")));
                var rotating =
                        AccessPods.builder()
                                .config("parley.access.issuers.login.issuer", "rotating")
                                .config("parley.access.issuers.login.audience", "parley")
                                .config("parley.access.issuers.login.jwks", keys.uri())
                                .start()
                                .awaitReady()) {
            Http old =
                    AccessPods.with(
                            rotating, token().claim("iss", "rotating").signed("RS256", KEY));
            assertThat(old.get("/rooms/kitchen/messages").status()).isEqualTo(200);

            keys.answer(200, jwks(jwk(KEY, "kid", "k1"), jwk(NEXT, "kid", "k2")));

            Http next =
                    AccessPods.with(
                            rotating,
                            token().header("kid", "k2")
                                    .claim("iss", "rotating")
                                    .signed("RS256", NEXT));
            assertThat(next.get("/rooms/kitchen/messages").status()).isEqualTo(200);
            assertThat(keys.requests()).isEqualTo(2);
        }
    }

    @Test
    void issuerThatIsAwayAtStart_isWaitedFor_whileOtherTokensWork() {
        try (var keys = new JwksServer("")) {
            keys.answer(503, "");
            try (var early =
                    AccessPods.builder()
                            .config("parley.access.issuers.login.issuer", "late")
                            .config("parley.access.issuers.login.audience", "parley")
                            .config("parley.access.issuers.login.jwks", keys.uri())
                            .start()
                            .awaitReady()) {
                Http late =
                        AccessPods.with(early, token().claim("iss", "late").signed("RS256", KEY));
                Http.Answer away = late.get("/rooms/kitchen/messages");
                assertThat(away.status()).isEqualTo(503);
                assertThat(away.header("Retry-After")).isNotEmpty();
                assertThat(
                                AccessPods.with(early, token().signed())
                                        .get("/rooms/kitchen/messages")
                                        .status())
                        .isEqualTo(200);

                keys.answer(200, jwks(jwk(KEY, "kid", "k1")));

                Timeouts.await("the keys")
                        .until(() -> late.get("/rooms/kitchen/messages").status() == 200);
                assertThat(early.log())
                        .containsOnlyOnce("its keys could not be fetched")
                        .containsOnlyOnce("its keys were fetched");
            }
        }
    }
}
