package dev.parley.access;

/** A token that was not accepted. Its message is a sentence for the caller, without the token. */
public final class TokenRefused extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final Reason reason;

    /** Why a token is not accepted: the complete list. */
    public enum Reason implements DenialReason {
        /**
         * It is not a signed JWT, is too long, lives for too long, or a claim is missing or not
         * valid.
         */
        MALFORMED,
        /** Its algorithm is not one of the issuer's. */
        ALGORITHM,
        /** Its issuer is not configured. */
        ISSUER,
        /** It is for another audience. */
        AUDIENCE,
        /** The issuer has no key of its key id. */
        UNKNOWN_KEY,
        /** Its signature is of none of the issuer's keys that were tried. */
        SIGNATURE,
        /** Its time is over. */
        EXPIRED,
        /** Its time has not begun. */
        NOT_YET_VALID,
        /** It was revoked. */
        REVOKED,
        /** The issuer's keys could not be fetched, so it could not be checked. */
        NO_KEYS
    }

    /**
     * @param sentence what is wrong, and what would be right
     */
    public TokenRefused(Reason reason, String sentence) {
        super(sentence, null, false, false);
        this.reason = reason;
    }

    /** Returns why it is not accepted. */
    public Reason reason() {
        return reason;
    }
}
