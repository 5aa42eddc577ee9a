package dev.parley.message;

/**
 * Thrown for a value that no message, room or request may have. Its message is a sentence for the
 * client that sent the value.
 */
public final class InvalidRequest extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    private final String code;

    /**
     * Refuses a value.
     *
     * @param code the kind of error for programs, such as {@code bad-room}; docs/errors.md lists
     *     them
     * @param reason one sentence for the client: what is wrong, and what to send instead
     */
    public InvalidRequest(String code, String reason) {
        super(reason);
        this.code = code;
    }

    /** Returns the kind of error for programs, such as {@code bad-room}. */
    public String code() {
        return code;
    }
}
