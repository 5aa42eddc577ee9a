package dev.parley.message;

/**
 * A value that can never be published or subscribed to. Its message is fit to be shown to the
 * caller.
 */
public final class InvalidRequest extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    public InvalidRequest(String reason) {
        super(reason);
    }
}
