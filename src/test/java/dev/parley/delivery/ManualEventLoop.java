package dev.parley.delivery;

import java.time.Duration;
import java.util.concurrent.ConcurrentLinkedQueue;

/** An event loop that runs its tasks when a test calls it. A pause takes no time. */
final class ManualEventLoop implements EventLoop {

    private final ConcurrentLinkedQueue<Runnable> due = new ConcurrentLinkedQueue<>();

    @Override
    public void execute(Runnable action) {
        due.add(action);
    }

    @Override
    public void executeLater(Runnable action, Duration pause) {
        due.add(action);
    }

    /** Runs all tasks, including those that are added meanwhile. */
    void run() {
        for (Runnable next = due.poll(); next != null; next = due.poll()) {
            next.run();
        }
    }

    /**
     * Runs the next task.
     *
     * @return whether there was one
     */
    boolean runOne() {
        Runnable next = due.poll();
        if (next != null) {
            next.run();
        }
        return next != null;
    }
}
