package dev.parley.redis;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Redis refused a command, or did not answer in time or at all. What was asked may or may not have
 * happened; what was refused has not.
 */
public final class RedisUnavailable extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final @Nullable RedisRefusal refusal;

    RedisUnavailable(String reason) {
        super(reason);
        this.refusal = null;
    }

    RedisUnavailable(String reason, Throwable cause) {
        super(reason, cause);
        this.refusal = RedisRefusal.of(cause).orElse(null);
    }

    /** Why Redis refused; empty if it did not answer. */
    public Optional<RedisRefusal> refusal() {
        return Optional.ofNullable(refusal);
    }
}
