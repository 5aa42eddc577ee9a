package dev.parley.testsupport;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

/**
 * The time limit of every wait in the tests. It is long enough for a heavily loaded machine. A wait
 * ends as soon as its condition holds, so only a failing test takes the whole time.
 */
public final class Timeouts {

    /** The limit for each wait: for a byte, for a process to start, or for a whole exchange. */
    public static final Duration LIMIT = Duration.ofMinutes(3);

    private static final Duration POLL = Duration.ofMillis(25);

    private Timeouts() {}

    /**
     * Starts a wait for a condition, which is checked at once and then every 25 ms.
     *
     * @param what the condition in words, for the failure
     */
    public static ConditionFactory await(String what) {
        return Awaitility.await(what).atMost(LIMIT).pollDelay(Duration.ZERO).pollInterval(POLL);
    }

    /** The limit in milliseconds, as sockets and browsers take it. */
    public static int millis() {
        return Math.toIntExact(LIMIT.toMillis());
    }
}
