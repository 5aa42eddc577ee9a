package dev.parley.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.parley.message.RoomPattern;
import io.quarkus.runtime.configuration.ConfigurationException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokens that Parley signs are accepted by Parley, and say what was asked for. */
final class TokenSignerTest {

    private static final Grants GRANTS =
            new Grants(
                    List.of(new RoomPattern("team.*"), new RoomPattern("kitchen")),
                    List.of(new RoomPattern("kitchen")),
                    List.of(),
                    true);

    private static VerifiedToken signedAndVerified(AccessSettings settings) {
        Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        String token =
                TokenSigner.of(settings.read(), Optional.empty())
                        .sign("ada", Optional.of("Ada L."), GRANTS, now, now.plusSeconds(60));
        VerifiedToken verified = Verifying.with(settings).accept(token);
        assertThat(verified.issued()).isEqualTo(now);
        assertThat(verified.expires()).isEqualTo(now.plusSeconds(60));
        return verified;
    }

    @ParameterizedTest
    @ValueSource(strings = {"HS256", "HS384", "HS512"})
    void signedToken_isAccepted_andSaysTheSame(String algorithm) {
        VerifiedToken verified =
                signedAndVerified(AccessSettings.withSecret().dev("algorithms", algorithm));

        assertThat(verified.person()).isEqualTo(new Person(TestTokens.ISSUER, "ada", "Ada L."));
        assertThat(verified.grants()).isEqualTo(GRANTS);
    }

    @ParameterizedTest
    @CsvSource({
        "parley, parley/name",
        "a/b, a/b/c/name",
        "a/b, a/name",
        "parley/rights, parley/name",
        "a/b/c, a/b/name"
    })
    void nameAndRights_mayBeInOneObject(String rightsClaim, String nameClaim) {
        AccessSettings settings =
                AccessSettings.withSecret()
                        .dev("rights-claim", rightsClaim)
                        .dev("name-claim", nameClaim);

        VerifiedToken verified = signedAndVerified(settings);

        assertThat(verified.grants()).isEqualTo(GRANTS);
        assertThat(verified.person().name()).isEqualTo("Ada L.");
    }

    @ParameterizedTest
    @CsvSource({"parley, sub", "iss/parley, name", "name/rights, name", "parley, parley"})
    void claimThatWouldHaveTwoMeanings_isRefused(String rightsClaim, String nameClaim) {
        AccessConfig config =
                AccessSettings.withSecret()
                        .dev("rights-claim", rightsClaim)
                        .dev("name-claim", nameClaim)
                        .read();
        TokenSigner signer = TokenSigner.of(config, Optional.empty());
        Instant now = Instant.now();

        assertThatExceptionOfType(ConfigurationException.class)
                .isThrownBy(
                        () ->
                                signer.sign(
                                        "ada",
                                        Optional.of("Ada L."),
                                        GRANTS,
                                        now,
                                        now.plusSeconds(60)))
                .withMessageContaining("would have two meanings");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a/b/c", "a/x", "https://chat.example/parley", "rights"})
    void claims_arePutWhereTheIssuersAre(String rightsClaim) {
        VerifiedToken verified =
                signedAndVerified(
                        AccessSettings.withSecret()
                                .dev("rights-claim", rightsClaim)
                                .dev("name-claim", "a/name"));

        assertThat(verified.person().name()).isEqualTo("Ada L.");
        assertThat(verified.grants()).isEqualTo(GRANTS);
    }

    @Test
    void issuerWithoutSecret_cannotSign() {
        AccessConfig config =
                AccessSettings.withIssuer().dev("jwks", "https://login.example/keys").read();

        assertThatExceptionOfType(ConfigurationException.class)
                .isThrownBy(() -> TokenSigner.of(config, Optional.empty()))
                .withMessageContaining("no issuer has a secret");
        assertThatExceptionOfType(ConfigurationException.class)
                .isThrownBy(() -> TokenSigner.of(config, Optional.of("dev")))
                .withMessageContaining("parley.access.issuers.dev.secret is not set");
    }

    @Test
    void oneOfSeveralIssuers_isNamed() {
        AccessSettings settings =
                AccessSettings.withSecret()
                        .set("parley.access.issuers.two.issuer", "two")
                        .set("parley.access.issuers.two.audience", "parley")
                        .set("parley.access.issuers.two.secret", TestTokens.SECRET);

        assertThatExceptionOfType(ConfigurationException.class)
                .isThrownBy(() -> TokenSigner.of(settings.read(), Optional.empty()))
                .withMessageContaining("(dev, two); name one with --issuer");
        String token =
                TokenSigner.of(settings.read(), Optional.of("two"))
                        .sign(
                                "ada",
                                Optional.empty(),
                                Grants.NONE,
                                Instant.now(),
                                Instant.now().plusSeconds(60));
        assertThat(Verifying.with(settings).accept(token).person().issuer()).isEqualTo("two");
    }
}
