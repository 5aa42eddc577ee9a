package dev.parley.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/**
 * When a probe is overdue: whatever its interval is, the time counts from the first lost message.
 */
class RedisProbeTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(1);

    private final RedisProbe.Unanswered unanswered = new RedisProbe.Unanswered();

    @Test
    void messagesThatAreReceived_areNeverOverdue_howeverFarApartTheyAre() {
        unanswered.onSent(seconds(0));
        unanswered.onReceived(seconds(0), seconds(0) + 1);

        assertThat(unanswered.isFor(TIMEOUT, seconds(3600))).isFalse();
        unanswered.onSent(seconds(3600));
        assertThat(unanswered.isFor(TIMEOUT, seconds(3601))).isFalse();
    }

    @Test
    void lostMessage_isOverdue_althoughOthersAreSentAfterIt() {
        unanswered.onSent(seconds(0));
        unanswered.onReceived(seconds(0), seconds(0));

        unanswered.onSent(seconds(10));
        unanswered.onSent(seconds(11));
        unanswered.onSent(seconds(12));

        assertThat(unanswered.isFor(TIMEOUT, seconds(11))).isFalse();
        assertThat(unanswered.isFor(TIMEOUT, seconds(12))).isTrue();
    }

    @Test
    void lateMessage_answersThoseBefore_andTheNextOneHasTheWholeTimeFromThen() {
        unanswered.onSent(seconds(10));
        unanswered.onSent(seconds(11));
        unanswered.onSent(seconds(12));

        unanswered.onReceived(seconds(11), seconds(13));

        assertThat(unanswered.isFor(TIMEOUT, seconds(14))).isFalse();
        assertThat(unanswered.isFor(TIMEOUT, seconds(15))).isTrue();
        unanswered.onReceived(seconds(12), seconds(15));
        assertThat(unanswered.isFor(TIMEOUT, seconds(3600))).isFalse();
    }

    @Test
    void messageThatArrivesAfterALaterOne_isNotWaitedFor() {
        unanswered.onSent(seconds(10));
        unanswered.onSent(seconds(11));

        unanswered.onReceived(seconds(11), seconds(12));
        unanswered.onReceived(seconds(10), seconds(12));

        assertThat(unanswered.isFor(TIMEOUT, seconds(3600))).isFalse();
    }

    @Test
    void newConnections_areNotOverdueForFormerMessages() {
        unanswered.onSent(seconds(0));

        unanswered.clear();

        assertThat(unanswered.isFor(TIMEOUT, seconds(3600))).isFalse();
    }

    /** On the clock of {@link System#nanoTime}, which may be negative. */
    private static long seconds(long seconds) {
        return Duration.ofSeconds(seconds).toNanos() - Duration.ofMinutes(1).toNanos();
    }
}
