package dev.parley.redis;

/** Redis did not answer in time, or at all. It may or may not have done what was asked. */
public final class RedisUnavailable extends RuntimeException {

    private static final long serialVersionUID = 1L;

    RedisUnavailable(String reason) {
        super(reason);
    }

    RedisUnavailable(String reason, Throwable cause) {
        super(reason, cause);
    }
}
