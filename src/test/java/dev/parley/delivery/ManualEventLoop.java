package dev.parley.delivery;

import java.time.Duration;
import java.util.concurrent.ConcurrentLinkedQueue;

/** An event loop that turns when the test says so. */
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

    /** Runs all that is due, and all that becomes due by it. */
    void run() {
        for (Runnable next = due.poll(); next != null; next = due.poll()) {
            next.run();
        }
    }

    /** Runs the next one alone. */
    boolean step() {
        Runnable next = due.poll();
        if (next != null) {
            next.run();
        }
        return next != null;
    }
}
