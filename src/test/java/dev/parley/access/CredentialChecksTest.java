package dev.parley.access;

import static dev.parley.access.CredentialChecks.AT_ONCE;
import static dev.parley.access.CredentialChecks.Kind.TICKET;
import static dev.parley.access.CredentialChecks.Kind.TOKEN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.BrokerUnavailable;
import dev.parley.http.TokenBuckets;
import io.github.bucket4j.TimeMeter;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which checks of tokens and tickets are under way, with checks that end when the test says so. */
class CredentialChecksTest {

    private static final int BURST = 50;
    private static final String FLOOD = "127.0.0.1";
    private static final String OTHER = "127.0.0.2";

    private final TokenRefused bad =
            new TokenRefused(TokenRefused.Reason.SIGNATURE, "bad signature");
    private final TokenRefused noKeys = new TokenRefused(TokenRefused.Reason.NO_KEYS, "no keys");
    private final AtomicLong nanos = new AtomicLong();
    private final CredentialChecks checks =
            new CredentialChecks(
                    new TokenBuckets<>(new StoppedTime(nanos)),
                    TokenBuckets.limit(5, BURST),
                    nanos::get);

    /** Those that began and have not ended, in order. */
    private final Deque<CompletableFuture<String>> underWay = new ArrayDeque<>();

    private int begun;

    private record StoppedTime(AtomicLong nanos) implements TimeMeter {
        @Override
        public long currentTimeNanos() {
            return nanos.get();
        }

        @Override
        public boolean isWallClockBased() {
            return false;
        }
    }

    private Uni<String> begin() {
        begun++;
        var check = new CompletableFuture<String>();
        underWay.add(check);
        return Uni.createFrom().completionStage(check);
    }

    private CompletableFuture<String> check(String address, CredentialChecks.Kind kind) {
        return check(checks.attempt(address, () -> false), kind);
    }

    private CompletableFuture<String> check(
            CredentialChecks.Attempt attempt, CredentialChecks.Kind kind) {
        return attempt.check(kind, this::begin).subscribeAsCompletionStage();
    }

    private List<CompletableFuture<String>> checkMany(
            int number, String address, CredentialChecks.Kind kind) {
        return IntStream.range(0, number).mapToObj(i -> check(address, kind)).toList();
    }

    private void endAll(Runnable end) {
        while (!underWay.isEmpty()) {
            assertThat(underWay.size()).isLessThanOrEqualTo(AT_ONCE);
            end.run();
        }
    }

    private static CredentialChecks.NotChecked refusal(CompletableFuture<String> outcome) {
        return (CredentialChecks.NotChecked) failure(outcome);
    }

    private static Throwable failure(CompletableFuture<String> outcome) {
        assertThat(outcome).isCompletedExceptionally();
        return outcome.handle((item, failure) -> failure).join();
    }

    @Test
    void badTokensThatArriveTogether_areCheckedUpToTheBurst_andTheOthersAreRefused() {
        List<CompletableFuture<String>> flood = checkMany(3000, FLOOD, TOKEN);
        assertThat(underWay).hasSize(AT_ONCE);

        endAll(() -> underWay.remove().completeExceptionally(bad));

        assertThat(begun).isEqualTo(BURST);
        assertThat(flood.subList(0, BURST))
                .allSatisfy(one -> assertThat(failure(one)).isSameAs(bad));
        assertThat(flood.subList(BURST, 3000))
                .allSatisfy(one -> assertThat(refusal(one).pause()).isPresent());
        assertThat(checks.pause(FLOOD)).isPresent();
        assertThat(refusal(check(FLOOD, TOKEN)).pause()).hasValue(Duration.ofMillis(200));
    }

    @Test
    void checkOfAClientThatGoes_losesItsPlace_andTheNextOneHasItsTurn() {
        checkMany(AT_ONCE, FLOOD, TICKET);
        CredentialChecks.Attempt gone = checks.attempt(FLOOD, () -> false);
        CompletableFuture<String> ofGone = check(gone, TICKET);
        CompletableFuture<String> next = check(FLOOD, TICKET);

        gone.abandon();
        endAll(() -> underWay.remove().complete("valid"));

        assertThat(begun).isEqualTo(AT_ONCE + 1);
        assertThat(ofGone).isNotDone();
        assertThat(next).isCompletedWithValue("valid");
    }

    /** Otherwise the charge that it has taken would keep the others waiting for ever. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void clientThatGoes_whileTheKeysAreFetched_countsAsABadOne(boolean isUnderWay) {
        List<CredentialChecks.Attempt> gone = new ArrayList<>();
        for (int i = 0; i < BURST; i++) {
            CredentialChecks.Attempt attempt = checks.attempt(FLOOD, () -> false);
            gone.add(attempt);
            check(attempt, TOKEN);
            if (isUnderWay) {
                attempt.abandon();
            }
            underWay.remove().completeExceptionally(new Open());
        }
        CompletableFuture<String> waiting = check(FLOOD, TOKEN);
        if (!isUnderWay) {
            assertThat(waiting).isNotDone();
        }

        gone.forEach(CredentialChecks.Attempt::abandon);

        assertThat(refusal(waiting).pause()).isPresent();
    }

    @Test
    void tokenOfAnotherAddress_hasItsTurn_beforeTheFloodThatWaits() {
        checkMany(3000, FLOOD, TOKEN);
        CompletableFuture<String> other = check(OTHER, TOKEN);
        assertThat(begun).isEqualTo(AT_ONCE + 1);

        underWay.removeLast().complete("valid");

        assertThat(other).isCompletedWithValue("valid");
        assertThat(begun).isEqualTo(AT_ONCE + 1);
    }

    @Test
    void validTokensOfOneAddress_areAllServed_howeverManyArriveTogether() {
        List<CompletableFuture<String>> crowd = checkMany(3000, FLOOD, TOKEN);
        assertThat(checks.pause(FLOOD)).isEmpty();

        endAll(() -> underWay.remove().complete("valid"));

        assertThat(crowd).allSatisfy(one -> assertThat(one).isCompletedWithValue("valid"));
        checkMany(BURST, FLOOD, TOKEN);
        endAll(() -> underWay.remove().completeExceptionally(bad));
        assertThat(begun).as("the whole burst is there again").isEqualTo(3000 + BURST);
    }

    @Test
    void validTokens_wait_whileOthersThatMayTurnOutToBeValidHaveTheLastOfTheBurst() {
        checkMany(BURST - 1, FLOOD, TOKEN);
        endAll(() -> underWay.remove().completeExceptionally(bad));
        List<CompletableFuture<String>> crowd = checkMany(10, FLOOD, TOKEN);
        assertThat(underWay).hasSize(1);

        endAll(() -> underWay.remove().complete("valid"));

        assertThat(crowd).allSatisfy(one -> assertThat(one).isCompletedWithValue("valid"));
    }

    @Test
    void checkThatCannotBeMadeNow_costsNothing() {
        checkMany(3000, FLOOD, TOKEN);
        endAll(() -> underWay.remove().completeExceptionally(noKeys));

        assertThat(begun).isEqualTo(3000);
        assertThat(checks.pause(FLOOD)).isEmpty();
    }

    @Test
    void tickets_doNotHoldUpTokens() {
        checkMany(100, FLOOD, TICKET);
        CompletableFuture<String> token = check(FLOOD, TOKEN);

        underWay.removeLast().complete("valid");

        assertThat(token).isCompletedWithValue("valid");
    }

    @Test
    void whenRedisHangs_ticketsThatWaitedAsLong_failTogether_andNewOnesAreLookedUp() {
        List<CompletableFuture<String>> crowd = checkMany(100, FLOOD, TICKET);
        CompletableFuture<String> token = check(FLOOD, TOKEN);
        nanos.addAndGet(Duration.ofSeconds(2).toNanos());
        CompletableFuture<String> late = check(FLOOD, TICKET);
        var hangs = new BrokerUnavailable("no answer in time", new IllegalStateException());

        underWay.remove().completeExceptionally(hangs);

        assertThat(crowd.subList(AT_ONCE, 100))
                .allSatisfy(one -> assertThat(failure(one)).isSameAs(hangs));
        assertThat(token).isNotDone();
        assertThat(late).isNotDone();
        underWay.removeLast().complete("valid");
        assertThat(late).isCompletedWithValue("valid");
    }

    @Test
    void ticketThatCannotBeJudgedAtOnce_doesNotMakeOthersFail() {
        List<CompletableFuture<String>> crowd = checkMany(100, FLOOD, TICKET);

        underWay.remove()
                .completeExceptionally(new BrokerUnavailable("x", new IllegalStateException()));
        endAll(() -> underWay.remove().complete("valid"));

        assertThat(crowd.subList(1, 100))
                .allSatisfy(one -> assertThat(one).isCompletedWithValue("valid"));
    }

    @Test
    void credentialOfAClientThatIsGone_isNotChecked_andCostsNothing() {
        checkMany(AT_ONCE, FLOOD, TOKEN);
        List<CompletableFuture<String>> gone = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            gone.add(check(checks.attempt(FLOOD, () -> true), TOKEN));
        }
        assertThat(gone).noneMatch(CompletableFuture::isDone);

        endAll(() -> underWay.remove().complete("valid"));

        assertThat(begun).isEqualTo(AT_ONCE);
        assertThat(gone).allSatisfy(one -> assertThat(refusal(one).pause()).isEmpty());
        assertThat(checks.pause(FLOOD)).isEmpty();
    }

    @Test
    void requestThatIsRefusedWithoutACheck_counts_andOneThatWasCheckedCountsOnce() {
        for (int i = 0; i < BURST - 1; i++) {
            CredentialChecks.Attempt attempt = checks.attempt(FLOOD, () -> false);
            check(attempt, TOKEN);
            underWay.remove().completeExceptionally(bad);
            attempt.onRefused();
        }
        assertThat(checks.pause(FLOOD)).isEmpty();

        CredentialChecks.Attempt revoked = checks.attempt(FLOOD, () -> false);
        check(revoked, TOKEN);
        underWay.remove().complete("valid, and revoked");
        revoked.onRefused();

        assertThat(checks.pause(FLOOD)).isPresent();
    }

    /** As when the keys of the issuer are being fetched, and the signature is of none known. */
    private static final class Open extends CredentialChecks.Unfinished {

        private static final long serialVersionUID = 1L;

        Open() {
            super("open", true);
        }
    }

    /** Makes checks of one address, of which those of the whole burst are to be made once more. */
    private List<CompletableFuture<String>> checkUntilAllAreOpen(
            List<CredentialChecks.Attempt> attempts) {
        List<CompletableFuture<String>> outcomes =
                attempts.stream().map(attempt -> check(attempt, TOKEN)).toList();
        endAll(() -> underWay.remove().completeExceptionally(new Open()));
        assertThat(begun).isEqualTo(BURST);
        assertThat(outcomes.subList(BURST, attempts.size())).noneMatch(CompletableFuture::isDone);
        return outcomes;
    }

    private List<CredentialChecks.Attempt> attempts(int number) {
        return IntStream.range(0, number)
                .mapToObj(i -> checks.attempt(FLOOD, () -> false))
                .toList();
    }

    @Test
    void checksThatAreMadeOnceMore_haveTheirTurnBeforeThoseThatWaitForThem() {
        List<CredentialChecks.Attempt> attempts = attempts(3 * BURST);
        List<CompletableFuture<String>> outcomes = checkUntilAllAreOpen(attempts);
        CompletableFuture<String> ticket = check(FLOOD, TICKET);

        List<CompletableFuture<String>> again =
                attempts.subList(0, BURST).stream().map(one -> check(one, TOKEN)).toList();
        endAll(() -> underWay.remove().completeExceptionally(bad));

        assertThat(again).allSatisfy(one -> assertThat(failure(one)).isSameAs(bad));
        assertThat(outcomes.subList(BURST, 3 * BURST))
                .allSatisfy(one -> assertThat(refusal(one).pause()).isPresent());
        assertThat(refusal(ticket).pause()).isPresent();
    }

    @Test
    void validTokensThatWait_areServed_whenChecksThatAreMadeOnceMoreSucceed() {
        List<CredentialChecks.Attempt> attempts = attempts(3 * BURST);
        List<CompletableFuture<String>> outcomes = checkUntilAllAreOpen(attempts);

        attempts.subList(0, BURST).forEach(one -> check(one, TOKEN));
        endAll(() -> underWay.remove().complete("valid"));

        assertThat(outcomes.subList(BURST, 3 * BURST))
                .allSatisfy(one -> assertThat(one).isCompletedWithValue("valid"));
    }

    @Test
    void badTokenOfAClientThatLeavesBeforeItIsCheckedOnceMore_counts() {
        var isGone = new AtomicBoolean();
        List<CredentialChecks.Attempt> attempts =
                IntStream.range(0, BURST)
                        .mapToObj(i -> checks.attempt(FLOOD, isGone::get))
                        .toList();
        checkUntilAllAreOpen(attempts);
        assertThat(checks.pause(FLOOD)).as("some may turn out to be valid").isEmpty();

        isGone.set(true);
        attempts.forEach(one -> check(one, TOKEN));

        assertThat(begun).isEqualTo(BURST);
        assertThat(checks.pause(FLOOD)).isPresent();
    }
}
