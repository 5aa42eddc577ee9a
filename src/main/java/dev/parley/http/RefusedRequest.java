package dev.parley.http;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A request that a call refuses. {@link Problem} answers it; the message is the detail. */
public final class RefusedRequest extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final ErrorCode code;
    private final @Nullable Duration retryAfter;

    /**
     * Refuses a request that fails in the same way each time it is sent.
     *
     * @param detail one sentence for the caller: what is wrong, and what to send instead
     */
    public RefusedRequest(ErrorCode code, String detail) {
        this(code, detail, null);
    }

    private RefusedRequest(ErrorCode code, String detail, @Nullable Duration retryAfter) {
        super(detail);
        this.code = code;
        this.retryAfter = retryAfter;
    }

    /** Refuses a request that can succeed when it is sent again after a pause. */
    public static RefusedRequest retryable(ErrorCode code, String detail, Duration retryAfter) {
        return new RefusedRequest(code, detail, retryAfter);
    }

    /**
     * Refuses a body that is too long.
     *
     * @param most the longest body that is accepted, in bytes
     */
    public static RefusedRequest tooLarge(long most) {
        return new RefusedRequest(ErrorCode.REQUEST_TOO_LARGE, tooLargeDetail(most));
    }

    /** Returns the detail of {@link #tooLarge}. */
    static String tooLargeDetail(long most) {
        return "request too large: at most " + most + " bytes are accepted";
    }

    /** The kind of error, which sets the HTTP status. */
    public ErrorCode code() {
        return code;
    }

    /** The pause before the request can succeed; empty if sending it again does not help. */
    public Optional<Duration> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }
}
