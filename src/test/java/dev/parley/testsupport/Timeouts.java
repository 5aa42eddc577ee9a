package dev.parley.testsupport;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

/**
 * How long tests wait for what has to come: so long that no load of the machine makes it late. A
 * wait ends when its condition is true, so that only a failure takes all the time.
 */
public final class Timeouts {

    /** For everything that has to come, be it a byte, a process or a whole conversation. */
    public static final Duration LIMIT = Duration.ofMinutes(3);

    private static final Duration POLL = Duration.ofMillis(25);

    private Timeouts() {}

    /**
     * A wait for a condition, which is looked at at once and then many times a second.
     *
     * @param what the condition in words, for the failure
     */
    public static ConditionFactory await(String what) {
        return Awaitility.await(what).atMost(LIMIT).pollDelay(Duration.ZERO).pollInterval(POLL);
    }

    /** The limit as sockets and browsers take it. */
    public static int millis() {
        return Math.toIntExact(LIMIT.toMillis());
    }
}
