package dev.parley.broker.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.BrokerUnavailable;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReadQueueTest {

    private static final Duration MAX_WAIT = Duration.ofSeconds(10);

    private long now;
    private final ReadQueue queue = new ReadQueue(MAX_WAIT, () -> now);
    private final Deque<UniEmitter<? super Integer>> running = new ArrayDeque<>();
    private final List<Integer> results = new ArrayList<>();
    private final List<Throwable> failures = new ArrayList<>();

    @Test
    void sixtyFourReadsRun_andTheNextStartsWhenOneEnds() {
        read(ReadQueue.MAX_RUNNING + 2);

        assertThat(running).hasSize(ReadQueue.MAX_RUNNING);

        running.poll().complete(1);

        assertThat(results).containsExactly(1);
        assertThat(running).hasSize(ReadQueue.MAX_RUNNING);
    }

    /** Five times the longest timeout that may be set is more nanoseconds than a number has. */
    @Test
    void longestTime_isPossible() {
        var patient = new ReadQueue(Duration.ofDays(5 * 36_500), () -> now);

        assertThat(patient.run(Uni.createFrom().item(1)).await().atMost(MAX_WAIT)).isOne();
    }

    @Test
    void readThatFails_givesItsTurnToTheNext() {
        read(ReadQueue.MAX_RUNNING + 1);

        running.poll().fail(new BrokerUnavailable("away"));

        assertThat(failures).hasSize(1);
        assertThat(running).hasSize(ReadQueue.MAX_RUNNING);
    }

    @Test
    void thousandsOfReadsThatFailAtOnce_leaveNothingBehind() {
        for (int i = 0; i < 10_000; i++) {
            queue.run(Uni.createFrom().<Integer>failure(new BrokerUnavailable("away")))
                    .subscribe()
                    .with(results::add, failures::add);
        }
        read(1);

        assertThat(failures).hasSize(10_000);
        assertThat(running).hasSize(1);
    }

    @Test
    void waitingReadsFailWhenOneEndsAndTheyHaveWaitedTooLong() {
        read(ReadQueue.MAX_RUNNING);
        queue.run(Uni.createFrom().item(7)).subscribe().with(results::add, failures::add);
        now = MAX_WAIT.toNanos() + 1;
        read(1);

        running.poll().complete(1);

        assertThat(failures)
                .singleElement()
                .isInstanceOf(BrokerUnavailable.class)
                .hasToString(
                        "dev.parley.broker.BrokerUnavailable:"
                                + " a read of Redis waited longer than PT10S for its turn");
        assertThat(results).containsExactly(1);
        assertThat(running).as("the read that came last runs").hasSize(ReadQueue.MAX_RUNNING);
    }

    @Test
    void readBeyondTheBound_failsAtOnce() {
        read(ReadQueue.MAX_RUNNING + ReadQueue.MAX_WAITING);

        assertThat(failures).isEmpty();

        read(1);

        assertThat(failures)
                .singleElement()
                .isInstanceOf(BrokerUnavailable.class)
                .extracting(Throwable::getMessage)
                .isEqualTo("50000 reads of Redis wait already");
    }

    private void read(int count) {
        for (int i = 0; i < count; i++) {
            queue.run(Uni.createFrom().<Integer>emitter(running::add))
                    .subscribe()
                    .with(results::add, failures::add);
        }
    }
}
