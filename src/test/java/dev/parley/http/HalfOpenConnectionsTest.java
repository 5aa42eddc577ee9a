package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.http.UnansweredConnections.Ends;
import dev.parley.http.UnansweredConnections.Unanswered;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** When a connection that has not answered is taken for half-open. Passes come every 5 seconds. */
class HalfOpenConnectionsTest {

    private static final int RETRANSMITS = 1;
    private static final int PROBES = 4;
    private static final Ends ENDS =
            new Ends(
                    InetSocketAddress.createUnresolved("127.0.0.1", 8080),
                    InetSocketAddress.createUnresolved("198.18.0.2", 50_000));

    private final HalfOpenConnections.Watch watch =
            new HalfOpenConnections.Watch(Duration.ofSeconds(15));

    /** Not 0: the watch compares times, whatever their origin is. */
    private long nowNanos = Long.MAX_VALUE - Duration.ofSeconds(7).toNanos();

    @Test
    void connectionThatNeverAnswers_isOverdueAfterTheTimeout() {
        assertThat(pass(retransmitted(3, 160))).isEmpty();
        assertThat(pass(retransmitted(5, 160))).isEmpty();
        assertThat(pass(retransmitted(6, 192))).isEmpty();
        assertThat(pass(retransmitted(7, 192))).containsExactly(ENDS);
    }

    @Test
    void connectionThatNeverAnswers_countsThroughLongPausesBetweenItsAttempts() {
        pass(new Unanswered(ENDS, RETRANSMITS, 7, 160, 19_000));
        pass(new Unanswered(ENDS, RETRANSMITS, 7, 160, 14_000));
        pass(new Unanswered(ENDS, RETRANSMITS, 7, 160, 8_900));

        assertThat(pass(new Unanswered(ENDS, RETRANSMITS, 7, 160, 4_000))).containsExactly(ENDS);
    }

    @Test
    void probesOfAFullWindowThatAreNeverAnswered_areOverdueAfterTheTimeout() {
        for (int probes = 1; probes < 4; probes++) {
            assertThat(pass(new Unanswered(ENDS, PROBES, probes, 160, 0))).isEmpty();
        }

        assertThat(pass(new Unanswered(ENDS, PROBES, 4, 160, 0))).containsExactly(ENDS);
    }

    @Test
    void connectionThatHasAnsweredEverything_beginsAnew() {
        neverAnswersFor10Seconds();

        assertThat(pass()).isEmpty();

        assertThat(pass(retransmitted(7, 160))).isEmpty();
    }

    @Test
    void connectionThatHasAnsweredOneOfItsAttempts_beginsAnew() {
        neverAnswersFor10Seconds();

        assertThat(pass(retransmitted(5, 160))).isEmpty();
    }

    @Test
    void connectionThatHasAcknowledgedSomeBytes_beginsAnew() {
        neverAnswersFor10Seconds();

        assertThat(pass(retransmitted(7, 159))).isEmpty();
    }

    @Test
    void connectionWhoseTimerWasStartedAnew_beginsAnew() {
        pass(new Unanswered(ENDS, RETRANSMITS, 2, 160, 400));
        pass(new Unanswered(ENDS, RETRANSMITS, 2, 160, 600));
        pass(new Unanswered(ENDS, RETRANSMITS, 2, 160, 200));

        assertThat(pass(new Unanswered(ENDS, RETRANSMITS, 2, 160, 300))).isEmpty();
    }

    @Test
    void connectionWhoseWindowHasBecomeFull_beginsAnew() {
        neverAnswersFor10Seconds();

        assertThat(pass(new Unanswered(ENDS, PROBES, 7, 160, 300))).isEmpty();
    }

    private void neverAnswersFor10Seconds() {
        pass(retransmitted(4, 160));
        pass(retransmitted(5, 160));
        pass(retransmitted(6, 160));
    }

    private static Unanswered retransmitted(int attempts, long queuedBytes) {
        return new Unanswered(ENDS, RETRANSMITS, attempts, queuedBytes, 1_000);
    }

    private Set<Ends> pass(Unanswered... unanswered) {
        Set<Ends> overdue = watch.overdue(List.of(unanswered), nowNanos);
        nowNanos += Duration.ofSeconds(5).toNanos();
        return overdue;
    }
}
