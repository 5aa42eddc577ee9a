package dev.parley.access;

import dev.parley.delivery.StreamHolder;
import dev.parley.message.Room;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/**
 * Who makes a request, and what they may do.
 *
 * @param token what their token says; empty for a caller without one
 * @param everybody what callers without a token may do
 * @param carrier how the token came
 * @param ticket the digest of the ticket that came in the place of the token
 */
public record Caller(
        Optional<VerifiedToken> token,
        Grants everybody,
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
    static Caller anonymous(Grants everybody) {
        return new Caller(Optional.empty(), everybody, Carrier.NONE, Optional.empty());
    }

    /** Tells whether the token allows reading a room, or the room is public. */
    boolean mayRead(Room room) {
        return everybody.mayRead(room)
                || token.filter(one -> one.grants().mayRead(room)).isPresent();
    }

    /** Tells whether the token allows publishing in a room, or everybody may. */
    boolean mayWrite(Room room) {
        return everybody.mayWrite(room)
                || token.filter(one -> one.grants().mayWrite(room)).isPresent();
    }

    /** Tells whether the token allows revoking the rights of others. */
    boolean isAdmin() {
        return token.filter(one -> one.grants().admin()).isPresent();
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
