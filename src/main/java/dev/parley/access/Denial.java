package dev.parley.access;

/**
 * Why a request is denied for a reason other than an invalid token: it has no token, the token does
 * not suffice, or was not checked. Metrics and the audit log name these reasons and those of {@link
 * TokenRefused.Reason}.
 */
enum Denial implements DenialReason {
    /** It has no token, and what it asks for is not public. */
    NO_TOKEN,
    /** Its token does not permit what it asks for. */
    FORBIDDEN,
    /** It gives another sender than the person of its token. */
    OTHER_SENDER,
    /** The ticket does not exist, its time is over, or its issuer is not configured. */
    UNKNOWN_TICKET,
    /**
     * A credential in the wrong place: a token in the URL, a ticket at a call other than {@code
     * /events}, a cookie where the header {@code Authorization} is required.
     */
    MISPLACED,
    /** The token came in a cookie, and the request came from a page of another origin. */
    OTHER_ORIGIN,
    /** A cookie came, and any page may use the pod. */
    COOKIE_WITHOUT_ORIGINS,
    /** The client's address was refused too often. */
    TOO_MANY
}
