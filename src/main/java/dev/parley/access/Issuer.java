package dev.parley.access;

import io.smallrye.jwt.algorithm.SignatureAlgorithm;
import java.util.Set;

/**
 * Who signs tokens, as configured.
 *
 * @param name the part of its settings' names that the operator chose
 * @param iss the claim {@code iss} of its tokens
 * @param audience the claim {@code aud} has to contain one of these
 * @param algorithms that are accepted: those of secrets, or those of public keys, never both
 * @param keys what its tokens are signed with
 * @param claims how its tokens are read
 */
record Issuer(
        String name,
        String iss,
        Set<String> audience,
        Set<SignatureAlgorithm> algorithms,
        IssuerKeys keys,
        ClaimsMapping claims) {}
