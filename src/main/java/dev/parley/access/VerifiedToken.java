package dev.parley.access;

import java.time.Instant;
import java.util.Optional;

/**
 * What a token says whose signature, issuer, audience and times were checked.
 *
 * @param person whom it is for
 * @param grants what it permits
 * @param id the claim {@code jti} (RFC 7519 §4.1.7)
 * @param issued the claim {@code iat} (RFC 7519 §4.1.6)
 * @param expires the claim {@code exp} (RFC 7519 §4.1.4), without the tolerance for clocks
 */
public record VerifiedToken(
        Person person, Grants grants, Optional<String> id, Instant issued, Instant expires) {}
