package dev.parley.delivery;

import java.time.Duration;
import java.util.concurrent.Executor;

/** The thread on which a set of connections lives. Equal to another one of the same thread. */
public interface EventLoop extends Executor {

    /** Runs an action after a pause. */
    void executeLater(Runnable action, Duration pause);
}
