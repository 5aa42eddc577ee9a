package dev.parley.access;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * What a token says whose signature, issuer, audience and times were checked.
 *
 * @param person whom it is for
 * @param grants what it permits
 * @param id the claim {@code jti} (RFC 7519 §4.1.7)
 * @param issued the claim {@code iat} (RFC 7519 §4.1.6); the epoch if there is none
 * @param expires the claim {@code exp} (RFC 7519 §4.1.4), without the tolerance for clocks
 */
public record VerifiedToken(
        Person person, Grants grants, Optional<String> id, Instant issued, Instant expires) {

    /**
     * Tells whether a token lasts for longer than one may. Its life begins when it was issued; of a
     * token without {@code iat}, which counts as issued at the epoch, only what is left is known.
     */
    static boolean lastsTooLong(Instant issued, Instant expires, Duration longest, Instant now) {
        Instant begin = issued.equals(Instant.EPOCH) ? now : issued;
        return expires.isAfter(begin.plus(longest));
    }
}
