package dev.parley.message;

/**
 * A value that can never be published or subscribed to. Its message is a sentence for the caller.
 */
public final class InvalidRequest extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    private final String code;

    /** Refuses a value that has no code of its own. */
    public InvalidRequest(String reason) {
        this("bad-request", reason);
    }

    /**
     * Refuses a value.
     *
     * @param code the kind of error for programs, such as {@code bad-room}; docs/errors.md lists
     *     them
     * @param reason one sentence for the caller: what is wrong, and what to send instead
     */
    public InvalidRequest(String code, String reason) {
        super(reason);
        this.code = code;
    }

    /** The kind of error for programs, such as {@code bad-room}. */
    public String code() {
        return code;
    }
}
