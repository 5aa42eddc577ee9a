package dev.parley.delivery;

import java.time.Duration;
import java.util.concurrent.Executor;

/** The one thread on which a set of connections lives. Equal if it is the same thread. */
public interface EventLoop extends Executor {

    /** Runs an action after a pause, or a little later. */
    void executeLater(Runnable action, Duration pause);
}
