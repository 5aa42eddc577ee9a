package dev.parley.publish;

import dev.parley.http.RefusedRequest;
import java.time.Duration;
import java.util.Optional;

/** A client publishes faster than it may. */
public final class TooManyRequests extends RefusedRequest {

    private static final long serialVersionUID = 1L;

    private final Duration pause;

    TooManyRequests(Duration pause) {
        super(429, "too many requests: slow down");
        this.pause = pause;
    }

    @Override
    public Optional<Duration> retryAfter() {
        return Optional.of(pause);
    }
}
