package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.guarantees.Submissions.Submission;
import dev.parley.testsupport.RedisServer;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.PropertyDefaults;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeContainer;

/**
 * Whatever is sent, a pod answers, never with an error of its own, says what was wrong, writes
 * nothing into its log, keeps nothing of who has gone, and goes on serving: a reader gets what was
 * accepted, and nothing else. In memory and on Redis the answers are the same.
 *
 * <p>{@code -Dfuzz.tries=20000} tries longer.
 */
@PropertyDefaults(edgeCases = EdgeCasesMode.NONE)
class FuzzIT {

    private static RedisServer redis;
    private static FuzzedPod memory;
    private static FuzzedPod shared;

    @BeforeContainer
    static void start() {
        redis = RedisServer.start();
        memory = new FuzzedPod(Pods.steady().start());
        shared = new FuzzedPod(Pods.steady().redis(redis.uri()).start());
    }

    @AfterContainer
    static void stop() {
        memory.close();
        shared.close();
        redis.close();
    }

    @AfterProperty
    void othersAreServed() {
        for (FuzzedPod pod : List.of(memory, shared)) {
            pod.checkReader();
            pod.checkNobodyIsLeft();
            pod.checkLog();
        }
    }

    @Property
    void submission_isReceivedAsItWasMeant_orRefused(@ForAll("submissions") Submission given) {
        RawRequest request = given.request();

        for (FuzzedPod pod : List.of(memory, shared)) {
            RawAnswer answer = pod.exchange(request);
            if (given.isOrdinary() && request.hasUri()) {
                assertThat(answer.status()).as(answer.text()).isEqualTo(200);
            }
            if (answer.status() == 200) {
                checkReceived(given, pod, answer);
            }
        }
    }

    private static void checkReceived(Submission given, FuzzedPod pod, RawAnswer answer) {
        var event = pod.received(answer);
        assertThat(event.isPresent()).isEqualTo(given.room().equals(Optional.of(FuzzedPod.ROOM)));
        if (event.isPresent() && !given.isReadAsForm() && !repeats(given)) {
            assertThat(event.get().data()).isEqualTo(given.received());
            String type = given.event().filter(name -> !name.isEmpty()).orElse("message");
            assertThat(event.get().type()).isEqualTo(type);
        }
    }

    private static boolean repeats(Submission given) {
        return given.headers().stream().anyMatch(line -> line.startsWith("Idempotency-Key:"));
    }

    @Property
    void publishRequest_isAnswered(@ForAll("publishRequests") RawRequest request) {
        exchangeWithBoth(request);
    }

    @Property
    void subscription_isAnswered(@ForAll("subscriptions") RawRequest request) {
        exchangeWithBoth(request);
    }

    @Property
    void historyRequest_isAnswered(@ForAll("historyRequests") RawRequest request) {
        exchangeWithBoth(request);
    }

    @Property
    void anyMethodAndPath_isAnswered(@ForAll("otherRequests") RawRequest request) {
        exchangeWithBoth(request);
    }

    @Property
    void damagedRequest_harmsNobody(
            @ForAll("anyRequests") RawRequest request,
            @ForAll Damage damage,
            @ForAll @Size(min = 1, max = 4) List<Integer> places,
            @ForAll byte other) {
        checkSurvived(damaged(request.bytes(), damage, places, other));
    }

    @Property
    void requestsAtOnce_harmNobody(
            @ForAll("anyRequests") RawRequest first,
            @ForAll("anyRequests") RawRequest second,
            @ForAll Damage damage,
            @ForAll @Size(max = 2) List<Integer> places,
            @ForAll byte other) {
        checkSurvived(damaged(first.followedBy(second), damage, places, other));
    }

    @Property
    void clientThatBreaksItsConnection_harmsNobody(
            @ForAll("anyRequests") RawRequest first,
            @ForAll("anyRequests") RawRequest second,
            @ForAll boolean begun) {
        memory.checkWaived(first.followedBy(second), begun);
        shared.checkWaived(first.followedBy(second), begun);
    }

    @Property
    void anyFrames_harmNobody(@ForAll("frames") byte[] bytes) {
        memory.checkUndisturbed(bytes);
        shared.checkUndisturbed(bytes);
    }

    private static byte[] damaged(byte[] bytes, Damage damage, List<Integer> places, byte other) {
        byte[] damaged = bytes;
        for (int place : places) {
            damaged = damage.of(damaged, Math.floorMod(place, damaged.length), other);
        }
        return damaged;
    }

    private static void checkSurvived(byte[] request) {
        memory.checkSurvives(request);
        shared.checkSurvives(request);
    }

    private static void exchangeWithBoth(RawRequest request) {
        RawAnswer one = memory.exchange(request);
        RawAnswer other = shared.exchange(request);
        assertThat(other.status()).as(other.text()).isEqualTo(one.status());
    }

    @Provide
    Arbitrary<Submission> submissions() {
        return GeneratedRequests.submissions();
    }

    @Provide
    Arbitrary<RawRequest> publishRequests() {
        return GeneratedRequests.publishRequests();
    }

    @Provide
    Arbitrary<RawRequest> subscriptions() {
        return GeneratedRequests.subscriptions();
    }

    @Provide
    Arbitrary<RawRequest> historyRequests() {
        return GeneratedRequests.historyRequests();
    }

    @Provide
    Arbitrary<RawRequest> otherRequests() {
        return GeneratedRequests.otherRequests();
    }

    @Provide
    Arbitrary<RawRequest> anyRequests() {
        return GeneratedRequests.anyRequests();
    }

    @Provide
    Arbitrary<byte[]> frames() {
        return GeneratedFrames.connections();
    }
}
