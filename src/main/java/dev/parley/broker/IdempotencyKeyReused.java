package dev.parley.broker;

/**
 * An idempotency key was used for another message before (draft-ietf-httpapi-idempotency-key-header
 * §2.7): nothing was published.
 */
public final class IdempotencyKeyReused extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public IdempotencyKeyReused() {
        super(
                "Idempotency-Key was used for another message: repeat the same message under it, or"
                        + " choose a new key");
    }
}
