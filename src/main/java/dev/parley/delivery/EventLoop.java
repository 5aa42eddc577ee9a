package dev.parley.delivery;

import java.time.Duration;
import java.util.concurrent.Executor;

/**
 * The thread on which a set of connections lives. An action that is given to it runs later, never
 * inside the call. Two objects for the same thread are equal.
 */
public interface EventLoop extends Executor {

    /** Runs an action after a pause. */
    void executeLater(Runnable action, Duration pause);
}
