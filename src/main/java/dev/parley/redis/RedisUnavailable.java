package dev.parley.redis;

/** Redis did not answer in time or at all. What was asked may or may not have happened. */
public final class RedisUnavailable extends RuntimeException {

    private static final long serialVersionUID = 1L;

    RedisUnavailable(String reason) {
        super(reason);
    }

    RedisUnavailable(String reason, Throwable cause) {
        super(reason, cause);
    }
}
