package dev.parley.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.parley.testsupport.Timeouts;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;

/** Checks tokens in tests, and waits for the outcome. */
final class Verifying {

    private static final Duration SKEW = Duration.ofSeconds(30);
    private static final Duration LONGEST = Duration.ofHours(24);

    /** Its threads are daemons, and end with the JVM. */
    private static final Vertx VERTX = Vertx.vertx();

    private final TokenVerifier verifier;

    private Verifying(TokenVerifier verifier) {
        this.verifier = verifier;
    }

    /** A verifier with these settings, none of which needs an issuer's keys to be fetched. */
    static Verifying with(AccessSettings settings) {
        return with(settings, Clock.systemUTC());
    }

    static Verifying with(AccessSettings settings, Clock clock) {
        AccessConfig config = settings.read();
        return new Verifying(
                new TokenVerifier(
                        Issuers.readWithoutFetching(config),
                        config.clockSkew(),
                        config.maxTokenLifetime(),
                        VERTX,
                        clock));
    }

    /** A verifier of tokens of one issuer, whose callers are on the contexts of this instance. */
    static Verifying of(Issuer issuer, Vertx vertx) {
        return new Verifying(
                new TokenVerifier(
                        Map.of(issuer.iss(), issuer), SKEW, LONGEST, vertx, Clock.systemUTC()));
    }

    /** Returns what a token says, which has to be accepted. */
    VerifiedToken accept(String token) {
        return verify(token).await().atMost(Timeouts.LIMIT);
    }

    /** Checks a token whenever that is asked for. */
    Uni<VerifiedToken> verify(String token) {
        return verifier.verify(token, Supplier::get);
    }

    /**
     * Returns why a token is refused. The sentence for the caller contains no part of the token.
     */
    TokenRefused.Reason refuse(String token) {
        TokenRefused refused = refusal(token);
        if (token.length() > 20) {
            assertThat(refused.getMessage()).doesNotContain(token.substring(0, 20));
        }
        return refused.reason();
    }

    /** Returns the refusal of a token, which has to be refused. */
    TokenRefused refusal(String token) {
        TokenRefused refused = catchThrowableOfType(TokenRefused.class, () -> accept(token));
        assertThat(refused).as("refusal").isNotNull();
        return refused;
    }

    TokenVerifier verifier() {
        return verifier;
    }
}
