package dev.parley.redis;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Thrown when Redis refused a command, did not answer in time, or there is no connection to it. A
 * command that was refused had no effect; one without an answer may have had one.
 */
public final class RedisUnavailable extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final @Nullable RedisRefusal refusal;

    /**
     * @param reason which clients may get: {@link RedisReason#forClients} removes what they may not
     */
    RedisUnavailable(String reason) {
        super(reason);
        this.refusal = null;
    }

    RedisUnavailable(String reason, Throwable cause) {
        super(reason, cause);
        this.refusal = RedisRefusal.of(cause).orElse(null);
    }

    /** Returns why Redis refused the command; empty if it did not answer. */
    public Optional<RedisRefusal> refusal() {
        return Optional.ofNullable(refusal);
    }
}
