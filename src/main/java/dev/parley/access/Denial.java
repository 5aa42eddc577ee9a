package dev.parley.access;

/**
 * Why a request is denied for another reason than that its token is not valid: it has no token, the
 * token does not suffice, or was not even checked. The list in metrics and in the audit log, with
 * that of {@link TokenRefused.Reason}.
 */
enum Denial implements DenialReason {
    /** It has no token, and what it asks for is not public. */
    NO_TOKEN,
    /** Its token does not permit what it asks for. */
    FORBIDDEN,
    /** It gives another sender than the person of its token. */
    OTHER_SENDER,
    /** The ticket does not exist, or its time is over. */
    UNKNOWN_TICKET,
    /**
     * A token came in the URL, a ticket in another call than the one that takes it, or a cookie in
     * the one that asks for a header.
     */
    MISPLACED,
    /** The token came in a cookie, and the request from a page of another origin. */
    OTHER_ORIGIN,
    /** A cookie came, and any page may use the pod. */
    COOKIE_WITHOUT_ORIGINS,
    /** The client's address was refused too often. */
    TOO_MANY
}
