package dev.parley.access;

import dev.parley.delivery.StreamHolder;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/**
 * Who makes a request, and what they may do.
 *
 * @param token what their token says; empty for a caller without one
 * @param grants what they may do: what the token permits, and what is public
 * @param carrier how the token came
 * @param ticket the digest of the ticket that came in the place of the token
 */
public record Caller(
        Optional<VerifiedToken> token,
        Grants grants,
        Carrier carrier,
        Optional<AccessStore.TicketDigest> ticket)
        implements StreamHolder {

    /** The ways in which a request says who makes it. */
    public enum Carrier {
        /** It does not say it. */
        NONE,
        /** In the header {@code Authorization} (RFC 6750 §2.1). */
        BEARER,
        /** In a cookie. */
        COOKIE,
        /** In the query, as a ticket. */
        TICKET;

        /** Returns the carrier as written in metrics. */
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Makes a caller without a token. */
    static Caller anonymous(Grants grants) {
        return new Caller(Optional.empty(), grants, Carrier.NONE, Optional.empty());
    }

    /** Returns the person whom the token names. */
    public Optional<Person> person() {
        return token.map(VerifiedToken::person);
    }

    /** Returns when the token ends. */
    @Override
    public Optional<Instant> until() {
        return token.map(VerifiedToken::expires);
    }
}
