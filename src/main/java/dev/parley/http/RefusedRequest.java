package dev.parley.http;

import java.time.Duration;
import java.util.Optional;

/** A request that a call refuses; answered as a {@link Problem}. Its message is the detail. */
public abstract class RefusedRequest extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final int status;

    /**
     * @param status HTTP status, 400 to 599
     * @param detail one sentence for the caller: what was wrong, and what would be right
     */
    protected RefusedRequest(int status, String detail) {
        super(detail);
        this.status = status;
    }

    /** HTTP status of the answer. */
    public int status() {
        return status;
    }

    /** How long the caller should wait before it tries again; empty if that would not help. */
    public Optional<Duration> retryAfter() {
        return Optional.empty();
    }
}
