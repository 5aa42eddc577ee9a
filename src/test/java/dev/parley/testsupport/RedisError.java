package dev.parley.testsupport;

/** An error reply of a Redis server; the message is its text. */
public final class RedisError extends RuntimeException {

    private static final long serialVersionUID = 1L;

    RedisError(String message) {
        super(message);
    }
}
