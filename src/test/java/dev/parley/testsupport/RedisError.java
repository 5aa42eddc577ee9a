package dev.parley.testsupport;

/** A Redis server's answer that is an error; the message is its text. */
public final class RedisError extends RuntimeException {

    private static final long serialVersionUID = 1L;

    RedisError(String message) {
        super(message);
    }
}
