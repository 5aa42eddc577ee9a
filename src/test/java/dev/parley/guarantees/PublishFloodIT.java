package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.Timeouts;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A client publishes more than Redis takes, here while Redis is paused. The pod keeps a bounded
 * part of it, and the publishes of others are accepted when Redis goes on: the client has not used
 * up what Redis may be asked at a time.
 */
class PublishFloodIT {

    @AutoClose private static final RedisServer redis = RedisServer.start();

    /** One address has a quarter of 4 MB, which is the 8 KB of 128 requests. */
    @RegisterExtension
    static final AttackedPod pod =
            new AttackedPod(
                    ParleyProcess.builder()
                            .config("parley.limits.pending-bytes", "4M")
                            .config("parley.redis.max-pending", "150")
                            .redis(redis.uri()));

    @BeforeEach
    void awaitPublishing() {
        pod.assertServed();
    }

    @Test
    void shortMessages_leaveOthersTheirTurn() {
        double before = pod.met("pending-bytes");
        redis.pause();
        try {
            for (int i = 0; i < 300; i++) {
                pod.connect(post("short " + i));
            }
            // Each that waits counts 8 KB and its few bytes.
            Timeouts.await("each publish is refused or waits")
                    .until(
                            () ->
                                    pod.met("pending-bytes")
                                                    - before
                                                    + Math.floor(pod.held("pending") / 8_192)
                                            >= 300);
            assertThat(pod.met("pending-bytes")).isGreaterThanOrEqualTo(before + 170);
            double held = pod.held("pending");
            CompletableFuture<Integer> other = publishOfAnotherClient();
            pod.awaitHeld("pending", held + 8_192);

            redis.resume();

            assertThat(other).succeedsWithin(Timeouts.LIMIT).isEqualTo(200);
        } finally {
            redis.resume();
        }
        pod.attack().forEach(RawConnection::readAnswer);
        List<Integer> statuses =
                pod.attack().stream().map(connection -> connection.answer().status()).toList();
        assertThat(statuses).containsOnly(200, 503);
        assertThat(statuses.stream().filter(status -> status == 200)).hasSizeBetween(100, 130);
        assertThat(pod.attack().stream().filter(each -> each.answer().status() == 503))
                .allSatisfy(each -> assertThat(each.answer().header("Retry-After")).isEqualTo("3"));
    }

    @Test
    void messagesWhoseClientsHaveLeft_countUntilRedisHasAnswered() {
        double before = pod.met("pending-bytes");
        redis.pause();
        try {
            for (int i = 0; i < 100; i++) {
                // Written as one piece, which is not counted while it arrives.
                RawConnection connection = pod.connect(post("l".repeat(10_000)));
                double expected = (i + 1) * 18_000;
                Timeouts.await("the publish to be counted or refused")
                        .until(
                                () ->
                                        pod.held("pending") >= expected
                                                || pod.met("pending-bytes") > before);
                connection.close();
            }

            assertThat(pod.met("pending-bytes")).isGreaterThan(before + 30);
            assertThat(pod.held("pending")).isBetween(900_000.0, 1_100_000.0);
        } finally {
            redis.resume();
        }
    }

    /** The head of each is refused, so that its body need not come. It counts all the same. */
    @Test
    void longBodies_areRefusedBeforeTheyAreRead_whileThereIsNoRoom() {
        double before = pod.met("pending-bytes");
        redis.pause();
        try {
            for (int i = 0; i < 20; i++) {
                pod.connect(post("l".repeat(60_000)));
            }
            // Each that waits counts 60,000 bytes and 8 KB.
            Timeouts.await("each publish is refused or waits")
                    .until(
                            () ->
                                    pod.met("pending-bytes")
                                                    - before
                                                    + Math.floor(pod.held("pending") / 68_192)
                                            >= 20);
            double rejected = pod.rejected();
            RawConnection withoutBody =
                    pod.connect(
                            "POST /send?room=flood HTTP/1.1\r\nHost: x\r\n"
                                    + "Content-Length: "
                                    + 100_000
                                    + "\r\n\r\n");

            withoutBody.readAnswer();

            assertThat(withoutBody.answer().status()).isEqualTo(503);
            assertThat(withoutBody.answer().header("Retry-After")).isEqualTo("2");
            assertThat(pod.rejected()).isEqualTo(rejected + 1);
        } finally {
            redis.resume();
        }
    }

    private static CompletableFuture<Integer> publishOfAnotherClient() {
        return CompletableFuture.supplyAsync(
                () -> new Http(pod.pod().uri()).sendForm("of another").status());
    }

    private static String post(String text) {
        return "POST /send?room=flood HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
                + "Content-Length: "
                + text.length()
                + "\r\n\r\n"
                + text;
    }
}
