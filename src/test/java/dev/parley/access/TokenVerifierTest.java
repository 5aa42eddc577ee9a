package dev.parley.access;

import static dev.parley.access.TestTokens.token;
import static dev.parley.access.TokenRefused.Reason.ALGORITHM;
import static dev.parley.access.TokenRefused.Reason.AUDIENCE;
import static dev.parley.access.TokenRefused.Reason.EXPIRED;
import static dev.parley.access.TokenRefused.Reason.ISSUER;
import static dev.parley.access.TokenRefused.Reason.MALFORMED;
import static dev.parley.access.TokenRefused.Reason.NOT_YET_VALID;
import static dev.parley.access.TokenRefused.Reason.SIGNATURE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.SettableClock;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokens that are accepted, and attacks with tokens. */
final class TokenVerifierTest {

    private static final KeyPair RSA = TestTokens.pair("RSA");

    private final Verifying secret = Verifying.with(AccessSettings.withSecret());
    private final Verifying rsa = withKey(RSA);

    private static Verifying withKey(KeyPair pair) {
        return Verifying.with(AccessSettings.withIssuer().dev("public-key", TestTokens.pem(pair)));
    }

    @Test
    void tokenWithASecret_isAccepted_andSaysWhoAndUntilWhen() {
        Instant before = Instant.now().minusSeconds(1);

        VerifiedToken verified = secret.accept(token().claim("jti", "t-1").signed());

        assertThat(verified.person()).isEqualTo(new Person(TestTokens.ISSUER, "ada", "ada"));
        assertThat(verified.grants()).isEqualTo(Grants.NONE);
        assertThat(verified.id()).hasValue("t-1");
        assertThat(verified.issued()).isBetween(before, Instant.now());
        assertThat(verified.expires()).isEqualTo(verified.issued().plusSeconds(600));
    }

    @ParameterizedTest
    @CsvSource({"RS256, RSA", "PS256, RSA", "ES256, secp256r1", "EdDSA, Ed25519"})
    void tokenWithAKeyPair_isAccepted_withTheDefaultAlgorithms(String algorithm, String type) {
        KeyPair pair = TestTokens.pair(type);

        VerifiedToken verified = withKey(pair).accept(token().signed(algorithm, pair));

        assertThat(verified.person().subject()).isEqualTo("ada");
    }

    @Test
    void algorithmThatIsAllowedByName_isAccepted_andNoOtherOne() {
        Verifying onlyRs512 =
                Verifying.with(
                        AccessSettings.withIssuer()
                                .dev("public-key", TestTokens.pem(RSA))
                                .dev("algorithms", "RS512"));

        onlyRs512.accept(token().signed("RS512", RSA));
        assertThat(onlyRs512.refuse(token().signed("RS256", RSA))).isEqualTo(ALGORITHM);
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "None", "NONE", "nOnE", "", " none", "none ", "no\u0000ne"})
    void unsignedToken_isRefused(String none) {
        assertThat(secret.refuse(token().unsigned(none))).isEqualTo(ALGORITHM);
        assertThat(rsa.refuse(token().unsigned(none))).isEqualTo(ALGORITHM);
    }

    @Test
    void tokenWithoutSignature_isRefused_whateverAlgorithmItNames() {
        assertThat(secret.refuse(token().unsigned("HS256"))).isEqualTo(SIGNATURE);
        assertThat(rsa.refuse(token().unsigned("RS256"))).isEqualTo(SIGNATURE);
    }

    @Test
    void refusalOfClaimsThatAreNotAccepted_saysWhichAndWhy() {
        long now = Instant.now().getEpochSecond();

        assertThat(secret.refusal(token().signedPayload("{\"sub\":\"a\",\"sub\":\"b\"}")))
                .hasMessageContaining("no name twice");
        assertThat(secret.refusal(token().claim("jti", 7).signed()))
                .hasMessageContaining("the token's jti is not a text");
        assertThat(secret.refusal(token().claim("nbf", now + 20).claim("exp", now + 10).signed()))
                .hasMessageContaining("the token's exp is before its nbf");
    }

    /** The token begins with the next second, which is within the skew. */
    @Test
    void skewBelowASecond_isApplied() {
        // SmallRye JWT reads the clock of the machine, in whose present second this is not valid.
        Instant next = Instant.now().truncatedTo(ChronoUnit.SECONDS).plusSeconds(1);
        SettableClock clock = SettableClock.stoppedNow();
        clock.advance(Duration.between(clock.instant(), next.minusMillis(400)));
        Verifying brief =
                Verifying.with(
                        AccessSettings.withSecret().set("parley.access.clock-skew", "500MS"),
                        clock);

        brief.accept(token().claim("nbf", next.getEpochSecond()).signed());

        clock.advance(Duration.ofMillis(-200));
        assertThat(
                        brief.refuse(
                                token().claim("nbf", next.getEpochSecond())
                                        .claim("jti", "other")
                                        .signed()))
                .isEqualTo(NOT_YET_VALID);
    }

    @Test
    void tokenSignedWithThePublicKeyAsSecret_isRefused() {
        String pem = TestTokens.pem(RSA);
        List<byte[]> secrets =
                List.of(
                        pem.getBytes(StandardCharsets.US_ASCII),
                        pem.strip().getBytes(StandardCharsets.US_ASCII),
                        RSA.getPublic().getEncoded(),
                        Base64.getEncoder().encode(RSA.getPublic().getEncoded()));

        for (byte[] secret : secrets) {
            for (String algorithm : List.of("HS256", "HS384", "HS512")) {
                assertThat(rsa.refuse(token().hmac(algorithm, secret))).isEqualTo(ALGORITHM);
            }
        }
    }

    @Test
    void tokenSignedWithAnotherKey_isRefused() {
        byte[] other = TestTokens.SECRET.replace('a', 'b').getBytes(StandardCharsets.UTF_8);

        assertThat(secret.refuse(token().hmac("HS256", other))).isEqualTo(SIGNATURE);
        assertThat(rsa.refuse(token().signed("RS256", TestTokens.pair("RSA"))))
                .isEqualTo(SIGNATURE);
    }

    @Test
    void tokenThatNamesAnotherAlgorithmOfTheKey_isRefused() {
        byte[] key = TestTokens.SECRET.getBytes(StandardCharsets.UTF_8);

        assertThat(secret.refuse(token().hmac("HS512", key))).isEqualTo(ALGORITHM);
    }

    @Test
    void changedPayload_isRefused() {
        String[] mine = token().signed().split("\\.", -1);
        String[] wanted = token().claim("sub", "root").signed().split("\\.", -1);

        assertThat(secret.refuse(mine[0] + "." + wanted[1] + "." + mine[2])).isEqualTo(SIGNATURE);
    }

    @Test
    void keysInTheToken_areNotUsed() {
        KeyPair attacker = TestTokens.pair("RSA");
        Map<String, Object> jwk = TestTokens.jwk(attacker, "kid", "mine");
        for (TestTokens forged :
                List.of(
                        token().header("jwk", jwk),
                        token().header("jku", "http://127.0.0.1:1/keys").header("kid", "mine"),
                        token().header("x5u", "http://127.0.0.1:1/certificate"),
                        token().header("x5c", List.of("MIIB")).header("kid", "mine"))) {
            assertThat(rsa.refuse(forged.signed("RS256", attacker))).isEqualTo(SIGNATURE);
        }

        rsa.accept(token().header("jwk", jwk).signed("RS256", RSA));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../../../../dev/null",
                "/dev/null",
                "' OR 1=1 --",
                "http://127.0.0.1:1/",
                "k\u0000",
                ""
            })
    void strangeKeyId_changesNothing(String kid) {
        rsa.accept(token().header("kid", kid).signed("RS256", RSA));
        assertThat(rsa.refuse(token().header("kid", kid).hmac("HS256", new byte[1])))
                .isEqualTo(ALGORITHM);
    }

    @Test
    void times_areCheckedWithTheTolerance() {
        long now = Instant.now().getEpochSecond();

        secret.accept(token().claim("iat", now - 60).claim("exp", now - 20).signed());
        secret.accept(token().claim("nbf", now + 20).signed());
        secret.accept(token().claim("iat", now + 20).signed());
        secret.accept(token().claim("exp", now + 60.5).signed());
        assertThat(secret.refuse(token().claim("exp", now - 31).signed())).isEqualTo(EXPIRED);
        assertThat(secret.refuse(token().claim("exp", 0).signed())).isEqualTo(EXPIRED);
        assertThat(secret.refuse(token().claim("nbf", now + 60).signed())).isEqualTo(NOT_YET_VALID);
        assertThat(secret.refuse(token().claim("iat", now + 60).signed())).isEqualTo(NOT_YET_VALID);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"1e9\"",
                "\"4102444800\"",
                "1e400",
                "-1",
                "1e30",
                "true",
                "[]",
                "null",
                "99999999999999999999999999",
                "253402300800"
            })
    void expThatIsNotATime_isRefused(String exp) {
        String claims =
                "{\"iss\":\"%s\",\"aud\":\"%s\",\"sub\":\"ada\",\"iat\":%d,\"exp\":%s}"
                        .formatted(
                                TestTokens.ISSUER,
                                TestTokens.AUDIENCE,
                                Instant.now().getEpochSecond(),
                                exp);

        assertThat(secret.refuse(token().signedPayload(claims))).isEqualTo(MALFORMED);
    }

    @Test
    void acceptedToken_isRefusedAfterItsEnd_thoughItsOutcomeIsKnown() {
        SettableClock clock = SettableClock.stoppedNow();
        Verifying verifying = Verifying.with(AccessSettings.withSecret(), clock);
        String token = token().signed();
        verifying.accept(token);

        clock.advance(Duration.ofSeconds(600 + 20));
        verifying.accept(token);
        clock.advance(Duration.ofSeconds(11));

        assertThat(verifying.refuse(token)).isEqualTo(EXPIRED);
    }

    @Test
    void tokenThatIsNotYetValid_isAcceptedLater_thoughItWasRefused() {
        SettableClock clock = SettableClock.stoppedNow();
        Verifying verifying =
                Verifying.with(
                        AccessSettings.withSecret().set("parley.access.clock-skew", "5M"), clock);
        clock.advance(Duration.ofSeconds(-200));
        String token = token().claim("nbf", Instant.now().getEpochSecond() + 150).signed();
        assertThat(verifying.refuse(token)).isEqualTo(NOT_YET_VALID);

        clock.advance(Duration.ofSeconds(200));

        verifying.accept(token);
    }

    @Test
    void claimsThatAreRequired_areRequired() {
        assertThat(secret.refuse(token().claim("iss", null).signed())).isEqualTo(ISSUER);
        assertThat(secret.refuse(token().claim("aud", null).signed())).isEqualTo(AUDIENCE);
        assertThat(secret.refuse(token().claim("exp", null).signed())).isEqualTo(MALFORMED);
        assertThat(secret.refuse(token().claim("sub", null).signed())).isEqualTo(MALFORMED);
        assertThat(secret.refusal(token().claim("sub", null).signed()))
                .hasMessage("the token has no sub");
    }

    /** It counts as issued before every revocation with a time. */
    @Test
    void tokenWithoutIat_isAccepted_ifItsTimeIsNotTooLong() {
        long now = Instant.now().getEpochSecond();
        TestTokens token = token().claim("iat", null);

        assertThat(secret.accept(token.claim("exp", now + 900).signed()).issued())
                .isEqualTo(Instant.EPOCH);
        assertThat(secret.refusal(token.claim("exp", now + 172_800).signed()))
                .hasMessageContaining("86400 seconds after now");
    }

    /** A revocation is kept for the longest life, counted from when it was made. */
    @Test
    void tokenForLongerThanTheLongestLife_isRefused_alsoWhenLessOfItIsLeft() {
        SettableClock clock = SettableClock.stoppedNow();
        Verifying verifying = Verifying.with(AccessSettings.withSecret(), clock);
        long now = clock.instant().getEpochSecond();
        String tooLong = token().claim("iat", now).claim("exp", now + 86_401).signed();
        String longest = token().claim("iat", now).claim("exp", now + 86_400).signed();

        for (int hours = 0; hours < 24; hours += 6) {
            assertThat(verifying.refuse(tooLong)).as("after %d h", hours).isEqualTo(MALFORMED);
            verifying.accept(longest);
            clock.advance(Duration.ofHours(6));
        }
        assertThat(verifying.refusal(tooLong)).hasMessageContaining("86400 seconds after its iat");
    }

    @Test
    void tokenOfTheLongestLife_isAccepted_whenTheIssuersClockIsAhead() {
        long ahead = Instant.now().getEpochSecond() + 20;

        secret.accept(token().claim("iat", ahead).claim("exp", ahead + 86_400).signed());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://login.example/realms/chat/",
                "https://login.example/realms/chat ",
                "HTTPS://login.example/realms/chat",
                "https://login.example/realms",
                "https://login.example/realms/chat\u0000",
                ""
            })
    void otherIssuer_isRefused(String iss) {
        assertThat(secret.refuse(token().claim("iss", iss).signed())).isEqualTo(ISSUER);
    }

    @Test
    void audience_isOneOfThoseInTheToken() {
        secret.accept(token().claim("aud", List.of("account", "parley")).signed());
        for (Object aud :
                List.of("account", "PARLEY", "parley ", "parle", "", List.of(), List.of(""))) {
            assertThat(secret.refuse(token().claim("aud", aud).signed())).isEqualTo(AUDIENCE);
        }
        assertThat(secret.refuse(token().claim("aud", List.of(1, "parley")).signed()))
                .isEqualTo(MALFORMED);
    }

    @Test
    void tokenOfOneIssuer_isNotAcceptedWithTheKeyOfAnother() {
        Verifying two =
                Verifying.with(
                        AccessSettings.withSecret()
                                .set("parley.access.issuers.other.issuer", "other")
                                .set("parley.access.issuers.other.audience", "parley")
                                .set(
                                        "parley.access.issuers.other.public-key",
                                        TestTokens.pem(RSA)));

        two.accept(token().claim("iss", "other").signed("RS256", RSA));
        assertThat(two.refuse(token().claim("iss", "other").signed())).isEqualTo(ALGORITHM);
        assertThat(two.refuse(token().signed("RS256", RSA))).isEqualTo(ALGORITHM);
    }

    @ParameterizedTest
    @ValueSource(strings = {"JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"})
    void typesOfAccessTokens_areAccepted(String typ) {
        secret.accept(token().header("typ", typ).signed());
        secret.accept(token().header("typ", null).signed());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "JOSE",
                "dpop+jwt",
                "logout+jwt",
                "secevent+jwt",
                "text/at+jwt",
                "jw\u0000t"
            })
    void otherTypes_areRefused(String typ) {
        assertThat(secret.refuse(token().header("typ", typ).signed())).isEqualTo(MALFORMED);
    }

    @Test
    void criticalExtensions_areRefused() {
        for (TestTokens token :
                List.of(
                        token().header("crit", List.of("exp")),
                        token().header("crit", List.of()),
                        token().header("crit", List.of("b64")).header("b64", false))) {
            TokenRefused refusal = secret.refusal(token.signed());

            assertThat(refusal.reason()).isEqualTo(MALFORMED);
            assertThat(refusal).hasMessageContaining("crit");
        }
    }

    @Test
    void longToken_isRefusedUnread_andTheLongestIsAccepted() {
        String shortOne = token().claim("pad", "").signed();
        int room = (UnverifiedToken.MAX_LENGTH - shortOne.length()) / 4 * 3;

        secret.accept(token().claim("pad", "x".repeat(room - 3)).signed());
        assertThat(secret.refuse(token().claim("pad", "x".repeat(room + 6)).signed()))
                .isEqualTo(MALFORMED);
        assertThat(secret.refuse("x".repeat(50_000_000))).isEqualTo(MALFORMED);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ".",
                "..",
                "...",
                "garbage",
                "a.b",
                "a.b.c",
                "a.b.c.d",
                "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..aaaa.bbbb.cccc",
                "e30.e30.",
                "e30.e30.e30",
                "W10.W10.e30",
                "\u0000.\u0000.\u0000",
                "ä.ö.ü",
                "Bearer a.b.c"
            })
    void whatIsNotASignedToken_isRefused(String text) {
        assertThat(secret.refuse(text)).isEqualTo(MALFORMED);
    }

    @Test
    void charactersBesideTheToken_areRefused() {
        String token = token().signed();
        for (String changed :
                List.of(
                        token + "=",
                        token + "\n",
                        " " + token,
                        token + "\u0000",
                        token + ".",
                        token.replaceFirst("\\.", ".\n"),
                        token.replaceFirst("\\.", "=."))) {
            assertThat(secret.refuse(changed)).isEqualTo(MALFORMED);
        }
    }

    @Test
    void membersThatAreThereTwice_areRefused() {
        long now = Instant.now().getEpochSecond();
        String claims =
                "\"iss\":\"%s\",\"aud\":\"parley\",\"iat\":%d,\"exp\":%d,"
                        .formatted(TestTokens.ISSUER, now, now + 600);

        secret.accept(token().signedPayload("{" + claims + "\"sub\":\"ada\"}"));
        assertThat(
                        secret.refuse(
                                token().signedPayload(
                                                "{"
                                                        + claims
                                                        + "\"sub\":\"ada\",\"sub\":\"root\"}")))
                .isEqualTo(MALFORMED);
        assertThat(secret.refuse(token().signedPayload("{" + claims + "\"sub\":\"ada\"} {}")))
                .isEqualTo(MALFORMED);
    }

    @Test
    void deepClaims_areRefused_andOthersDoNotMatter() {
        secret.accept(
                token().claim("a", Map.of("b", List.of(Map.of("exp", 1, "sub", "x")))).signed());
        String deep = "[".repeat(2_000) + "]".repeat(2_000);
        assertThat(secret.refuse(token().signedPayload("{\"a\":" + deep + "}")))
                .isEqualTo(MALFORMED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a\u0000b", "a\nb", "\u0085", "\ud800"})
    void subThatCannotBeWrittenAsOneLine_isRefused(String sub) {
        assertThat(secret.refuse(token().claim("sub", sub).signed())).isEqualTo(MALFORMED);
        assertThat(secret.refuse(token().claim("jti", sub).signed())).isEqualTo(MALFORMED);
    }

    @Test
    void subOfAnotherTypeOrTooLong_isRefused() {
        for (Object sub : List.of(1, true, List.of("ada"), "a".repeat(256))) {
            assertThat(secret.refuse(token().claim("sub", sub).signed())).isEqualTo(MALFORMED);
        }
        secret.accept(token().claim("sub", "a".repeat(255)).signed());
    }

    @Test
    void knownOutcomes_areBounded() {
        List<String> accepted = new ArrayList<>();
        for (int i = 0; i < TokenVerifier.MAX_RECENT + 100; i++) {
            String token = token().claim("jti", "t" + i).signed();
            secret.accept(token);
            accepted.add(token);
        }

        assertThat(accepted.stream().filter(secret.verifier()::isKnown))
                .hasSize(TokenVerifier.MAX_RECENT);
    }

    /** What a native image keeps for the library, under the names that it has. */
    @Test
    void classesThatTheLibraryLoadsByName_areThere() throws ClassNotFoundException {
        String[] names =
                TokenVerifier.class.getAnnotation(RegisterForReflection.class).classNames();

        assertThat(names).isNotEmpty();
        for (String name : names) {
            assertThat(Class.forName(name).getInterfaces()).as(name).isNotEmpty();
        }
    }
}
