package dev.parley.access;

import static dev.parley.access.TokenRefused.Reason.ISSUER;
import static dev.parley.access.TokenRefused.Reason.MALFORMED;
import static dev.parley.access.TokenRefused.Reason.NO_KEYS;
import static dev.parley.access.TokenRefused.Reason.SIGNATURE;
import static dev.parley.access.TokenRefused.Reason.UNKNOWN_KEY;

import io.quarkus.runtime.StartupEvent;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.smallrye.jwt.algorithm.SignatureAlgorithm;
import io.smallrye.jwt.auth.principal.DefaultJWTTokenParser;
import io.smallrye.jwt.auth.principal.JWTAuthContextInfo;
import io.smallrye.jwt.auth.principal.ParseException;
import io.smallrye.mutiny.Uni;
import io.vertx.core.AsyncResult;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.nio.ByteBuffer;
import java.security.PublicKey;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import javax.crypto.SecretKey;
import org.jboss.logging.Logger;
import org.jose4j.jwt.consumer.ErrorCodes;
import org.jose4j.jwt.consumer.InvalidJwtException;
import org.jspecify.annotations.Nullable;

/**
 * Checks tokens (JWT, RFC 7519). Thread-safe.
 *
 * <p>A token is checked in this order, so that one that cannot be accepted costs little: its form
 * and header; the outcome of an earlier check of the same token; its issuer, algorithm, audience,
 * times and subject; its signature, and all of this once more, by SmallRye JWT; the claims that say
 * who it is for and what it permits. The key comes from the configuration or from the issuer's
 * published keys, and never from the token: the headers {@code jwk}, {@code jku}, {@code x5c} and
 * {@code x5u} are not read.
 *
 * <p>A signature with RSA or a secret is checked on the calling thread, in less than 0.1 ms. One
 * with an elliptic curve takes about ten times as long: it is checked on threads of its own, so
 * that an event loop goes on delivering messages while thousands of readers reconnect. The outcome
 * arrives on the context of the caller.
 *
 * <p>What SmallRye JWT loads by name when it checks a token is registered for reflection, for a
 * native image, as the framework's extension, which is not used, registers what it needs.
 */
@Singleton
@RegisterForReflection(
        targets = SignatureAlgorithm.class,
        classNames = {
            "io.smallrye.jwt.auth.principal.PrincipalMessages_$bundle",
            "io.smallrye.jwt.auth.principal.PrincipalLogging_$logger"
        })
public final class TokenVerifier {

    private static final Logger LOG = Logger.getLogger(TokenVerifier.class);

    /** Most accepted tokens, and most refused ones, whose outcome is kept. */
    static final int MAX_RECENT = 10_000;

    /** How long the outcome for a refused token is kept. */
    private static final Duration REFUSED_KEPT = Duration.ofMinutes(1);

    private final Map<String, Issuer> issuers;
    private final Duration skew;
    private final Duration longest;
    private final Clock clock;
    private final WorkerExecutor slowChecks;
    private final DefaultJWTTokenParser parser = new DefaultJWTTokenParser();
    private final RecentTokens<VerifiedToken> accepted = new RecentTokens<>(MAX_RECENT);
    private final RecentTokens<TokenRefused> refused = new RecentTokens<>(MAX_RECENT);

    /** Reads the settings of the issuers, and begins to fetch their keys. */
    @Inject
    TokenVerifier(AccessConfig config, Vertx vertx, Clock clock) {
        this(
                Issuers.read(config, vertx),
                config.clockSkew(),
                config.maxTokenLifetime(),
                vertx,
                clock);
    }

    /**
     * @param issuers by the claim {@code iss}
     * @param skew how far the clock of an issuer may differ
     * @param longest the longest time from a token's issue to its end
     */
    TokenVerifier(
            Map<String, Issuer> issuers,
            Duration skew,
            Duration longest,
            Vertx vertx,
            Clock clock) {
        this.issuers = Map.copyOf(issuers);
        this.skew = skew;
        this.longest = longest;
        int threads = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
        this.slowChecks = vertx.createSharedWorkerExecutor("signatures", threads);
        this.clock = clock;
    }

    /**
     * Makes the program check the settings when it starts. In mode open, settings that say who may
     * do what have no effect, though the operator who made them may rely on them.
     */
    void start(@Observes StartupEvent event, AccessConfig config) {
        if (config.mode() == AccessConfig.Mode.OPEN) {
            settingWithoutEffect(config)
                    .ifPresent(
                            setting ->
                                    LOG.warnf(
                                            "%s is set, but parley.access.mode is open: every client may read and publish in every room, and tokens are not checked. Set parley.access.mode to token, or remove the setting.",
                                            setting));
        }
    }

    private static Optional<String> settingWithoutEffect(AccessConfig config) {
        if (!config.issuers().isEmpty()) {
            return Optional.of("parley.access.issuers");
        }
        AccessConfig.PublicRooms rooms = config.publicRooms();
        return rooms.read()
                .map(list -> "parley.access.public.read")
                .or(() -> rooms.write().map(list -> "parley.access.public.write"));
    }

    /**
     * Tells whether the token was checked before and is valid, so that checking it costs nothing.
     */
    boolean isKnown(String token) {
        return token.length() <= UnverifiedToken.MAX_LENGTH
                && accepted.find(RecentTokens.hash(token), clock.instant()).isPresent();
    }

    /** Makes a check when its turn has come. */
    @FunctionalInterface
    interface Turns {

        /**
         * Waits for its turn, makes the check, and returns its outcome.
         *
         * @param check may fail with {@link KeysNeeded}, which the outcome has to do then
         */
        Uni<VerifiedToken> check(Supplier<Uni<VerifiedToken>> check);
    }

    /** Thrown by a check that can be decided only when the issuer's keys have been fetched. */
    static final class KeysNeeded extends CredentialChecks.Unfinished {

        private static final long serialVersionUID = 1L;

        private final transient Check check;
        private final transient Future<KeySet> fetched;

        /**
         * @param wasChecked whether the signature was checked with the keys from before, and is not
         *     theirs
         */
        private KeysNeeded(Check check, Future<KeySet> fetched, boolean wasChecked) {
            super("the keys of the token's issuer are being fetched", wasChecked);
            this.check = check;
            this.fetched = fetched;
        }
    }

    /**
     * Checks a token.
     *
     * @param token as the caller sent it
     * @param turns when it may be checked, unless it was accepted before. While its issuer's keys
     *     are fetched it has no turn, and then waits for another one
     * @return what it says; fails with {@link TokenRefused}
     */
    Uni<VerifiedToken> verify(String token, Turns turns) {
        if (token.length() > UnverifiedToken.MAX_LENGTH) {
            // Before its hash is computed, which would cost time in proportion to the length.
            return turns.check(() -> Uni.createFrom().failure(UnverifiedToken::tooLong));
        }
        ByteBuffer hash = RecentTokens.hash(token);
        Optional<VerifiedToken> known = accepted.find(hash, clock.instant());
        if (known.isPresent()) {
            return Uni.createFrom().item(known.get());
        }
        return turns.check(() -> Uni.createFrom().deferred(() -> verify(token, hash)))
                .onFailure(KeysNeeded.class)
                .recoverWithUni(
                        keys ->
                                whenDone(keys.fetched)
                                        .flatMap(
                                                fetched ->
                                                        turns.check(
                                                                () -> keys.check.again(fetched))));
    }

    private Uni<VerifiedToken> verify(String token, ByteBuffer hash) {
        Instant now = clock.instant();
        // The same token may have been checked while this one waited for its turn.
        Optional<VerifiedToken> known = accepted.find(hash, now);
        if (known.isPresent()) {
            return Uni.createFrom().item(known.get());
        }
        refused.find(hash, now)
                .ifPresent(
                        refusal -> {
                            throw refusal;
                        });
        return new Check(UnverifiedToken.parse(token), hash, now).run();
    }

    /** The check of one token whose outcome is not known. */
    private final class Check {

        private final UnverifiedToken token;
        private final ByteBuffer hash;
        private final Instant now;
        private final Issuer issuer;
        private final SignatureAlgorithm algorithm;

        Check(UnverifiedToken token, ByteBuffer hash, Instant now) {
            this.token = token;
            this.hash = hash;
            this.now = now;
            Issuer named = issuers.get(token.issuer());
            if (named == null) {
                throw new TokenRefused(
                        ISSUER, "the token's iss is not an issuer that is configured here");
            }
            issuer = named;
            algorithm = token.algorithm(issuer.algorithms());
            token.checkAudience(issuer.audience());
            token.checkTimes(now, skew, longest);
            // SmallRye JWT would refuse a token in which they are wrong, and not say why.
            token.subject();
            token.id("jti");
            token.checkOrderOfTimes();
        }

        Uni<VerifiedToken> run() {
            KeySet keys = issuer.keys().current();
            if (!hasKey(keys)) {
                throw refetched(keys, false).orElseGet(this::noKey);
            }
            return checked(keys)
                    .onFailure(TokenRefused.class)
                    .transform(failure -> refusedFor(failure, keys));
        }

        /** Returns why the token is refused, or what to wait for before that can be said. */
        private RuntimeException refusedFor(TokenRefused failure, KeySet keys) {
            // Keys without an id may have been replaced since they were fetched. The outcome is not
            // kept then: the same token may come once more before the new keys are there.
            boolean mayBeOfNewKey = !keys.hasKeyOf(token.keyId()) && isWrongSignature(failure);
            return (mayBeOfNewKey ? refetched(keys, true) : Optional.<RuntimeException>empty())
                    .orElseGet(
                            () -> {
                                keep(failure, keys);
                                return failure;
                            });
        }

        private void keep(TokenRefused failure, KeySet keys) {
            refused.put(hash, failure, issuer.keys(), keys, now.plus(REFUSED_KEPT));
        }

        private boolean hasKey(KeySet keys) {
            return !keys.candidates(algorithm, token.keyId()).isEmpty();
        }

        /**
         * Begins to fetch the keys, or joins a fetch that is under way.
         *
         * @param known the keys with which the token could not be checked
         * @return says what to wait for; empty if they are not fetched now
         */
        private Optional<RuntimeException> refetched(KeySet known, boolean wasChecked) {
            return issuer.keys()
                    .refetch(known)
                    .map(fetched -> new KeysNeeded(this, fetched, wasChecked));
        }

        private Uni<VerifiedToken> again(AsyncResult<KeySet> fetched) {
            KeySet keys = fetched.succeeded() ? fetched.result() : issuer.keys().current();
            return hasKey(keys)
                    ? checked(keys)
                            .onFailure(TokenRefused.class)
                            .invoke(failure -> keep(failure, keys))
                    : Uni.createFrom().failure(noKey());
        }

        private Uni<VerifiedToken> checked(KeySet keys) {
            return isSlow()
                    ? Uni.createFrom()
                            .completionStage(
                                    () ->
                                            slowChecks
                                                    .executeBlocking(() -> withKeys(keys), false)
                                                    .toCompletionStage())
                    : Uni.createFrom().item(() -> withKeys(keys));
        }

        private boolean isSlow() {
            return switch (algorithm) {
                case ES256, ES384, ES512, EDDSA -> true;
                default -> false;
            };
        }

        private TokenRefused noKey() {
            return issuer.keys().areUpToDate()
                    ? new TokenRefused(UNKNOWN_KEY, "the token's issuer has no key of its kid")
                    : new TokenRefused(
                            NO_KEYS,
                            "the keys of the token's issuer could not be fetched; try again later");
        }

        /** Checks the signature, and keeps the outcome if the token is valid. */
        private VerifiedToken withKeys(KeySet keys) {
            checkSignature(keys);
            VerifiedToken verified = issuer.claims().read(token);
            accepted.put(hash, verified, issuer.keys(), keys, verified.expires().plus(skew));
            return verified;
        }

        private void checkSignature(KeySet keys) {
            TokenRefused failure = null;
            for (VerificationKey candidate : keys.candidates(algorithm, token.keyId())) {
                try {
                    parser.parse(token.text(), expected(candidate));
                    return;
                } catch (ParseException | RuntimeException e) {
                    failure = reasonOf(e);
                }
            }
            if (isWrongSignature(failure) && keys.hasMoreCandidates(algorithm, token.keyId())) {
                throw new TokenRefused(
                        SIGNATURE,
                        "the token's signature is not one of the first "
                                + KeySet.MAX_TRIES
                                + " keys of its issuer that come into question; further ones were"
                                + " not tried. Its kid has to name its key, and no other key");
            }
            throw failure == null ? noKey() : failure;
        }

        private JWTAuthContextInfo expected(VerificationKey candidate) {
            var expected = new JWTAuthContextInfo();
            if (candidate.key() instanceof PublicKey key) {
                expected.setPublicVerificationKey(key);
            } else {
                expected.setSecretVerificationKey((SecretKey) candidate.key());
            }
            expected.setSignatureAlgorithm(Set.of(algorithm));
            expected.setIssuedBy(issuer.iss());
            expected.setExpectedAudience(issuer.audience());
            expected.setClockSkew(skewInSeconds());
            // The life of the token, which checkTimes has checked.
            expected.setMaxTimeToLiveSecs(0L);
            expected.setRelaxVerificationKeyValidation(false);
            return expected;
        }

        /**
         * Returns the least number of whole seconds that is not below the skew. SmallRye JWT counts
         * in seconds; the exact skew was applied by checkTimes, before.
         */
        private int skewInSeconds() {
            return (int) skew.plusSeconds(1).minusNanos(1).toSeconds();
        }
    }

    private static boolean isWrongSignature(@Nullable Throwable failure) {
        return failure instanceof TokenRefused refusal && refusal.reason() == SIGNATURE;
    }

    /**
     * Goes on when a fetch is done, on the context that this is called on. The future cannot let go
     * of its listeners, so these let go of a request whose client is gone before that.
     */
    private static <T> Uni<AsyncResult<T>> whenDone(Future<T> future) {
        Context caller = Vertx.currentContext();
        return Uni.createFrom()
                .emitter(
                        result -> {
                            var waiting =
                                    new AtomicReference<@Nullable Consumer<AsyncResult<T>>>(
                                            result::complete);
                            result.onTermination(() -> waiting.set(null));
                            future.onComplete(
                                    done -> {
                                        if (waiting.get() == null) {
                                            return;
                                        }
                                        if (caller == null) {
                                            complete(waiting, done);
                                        } else {
                                            caller.runOnContext(any -> complete(waiting, done));
                                        }
                                    });
                        });
    }

    private static <T> void complete(
            AtomicReference<@Nullable Consumer<AsyncResult<T>>> waiting, AsyncResult<T> done) {
        Consumer<AsyncResult<T>> result = waiting.get();
        if (result != null) {
            result.accept(done);
        }
    }

    /** Returns why SmallRye JWT refused a token that passed the checks before it. */
    private static TokenRefused reasonOf(Exception e) {
        if (e.getCause() instanceof InvalidJwtException invalid) {
            if (invalid.hasErrorCode(ErrorCodes.SIGNATURE_INVALID)) {
                return new TokenRefused(SIGNATURE, "the token's signature is not its issuer's");
            }
            if (invalid.hasErrorCode(ErrorCodes.EXPIRED)) {
                return new TokenRefused(TokenRefused.Reason.EXPIRED, "the token has expired");
            }
        }
        return new TokenRefused(MALFORMED, "the token is not a valid JWT");
    }
}
