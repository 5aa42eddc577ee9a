package dev.parley.publish;

import java.time.Duration;

/** A client publishes faster than it may. */
public final class TooManyRequests extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final Duration pause;

    TooManyRequests(Duration pause) {
        super("too many requests: slow down");
        this.pause = pause;
    }

    /** How long to wait before the next request. */
    public Duration pause() {
        return pause;
    }
}
