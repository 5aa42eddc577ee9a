package dev.parley.broker;

/**
 * Thrown when an idempotency key was used for another message before
 * (draft-ietf-httpapi-idempotency-key-header §2.7). Nothing was published.
 */
public final class IdempotencyKeyReused extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** Makes the exception, with a sentence for the client. */
    public IdempotencyKeyReused() {
        super(
                "Idempotency-Key was used for another message: repeat the same message under it, or"
                        + " choose a new key");
    }
}
