package dev.parley.access;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.smallrye.jwt.algorithm.SignatureAlgorithm;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jose4j.jwk.PublicJsonWebKey;
import org.jose4j.lang.JoseException;
import org.jspecify.annotations.Nullable;

/**
 * The keys of an issuer at one time. Two sets are equal if their keys are.
 *
 * @param keys in the issuer's order
 */
record KeySet(List<VerificationKey> keys) {

    /** The keys of an issuer whose keys were never fetched. */
    static final KeySet NONE = new KeySet(List.of());

    /** Most keys of a set. */
    private static final int MAX_KEYS = 100;

    /**
     * Most keys that a token without a key id, or with one that several keys have, is tried with:
     * each costs the check of a signature.
     */
    static final int MAX_TRIES = 4;

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeReference<Map<String, Object>> MEMBERS = new TypeReference<>() {};

    KeySet {
        keys = List.copyOf(keys);
    }

    // Written out, since a native executable interprets what the compiler generates for a record.
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof KeySet set && keys.equals(set.keys);
    }

    @Override
    public int hashCode() {
        return keys.hashCode();
    }

    /**
     * Reads a JWK set (RFC 7517 §5). Leaves out what is not a public key for signatures, and keys
     * of unknown types, as that section asks for.
     *
     * @param json as it was fetched
     * @param algorithms those of the issuer; a key that is for none of them is left out
     * @throws IllegalArgumentException if the text is not such a set, has more than 100 keys, or
     *     none that can be used; its message completes a sentence that begins with the issuer
     */
    static KeySet parse(byte[] json, Set<SignatureAlgorithm> algorithms) {
        JsonNode set = tree(json);
        if (!set.path("keys").isArray()) {
            throw new IllegalArgumentException("its answer is not a JWK set");
        }
        if (set.path("keys").size() > MAX_KEYS) {
            throw new IllegalArgumentException("it has more than " + MAX_KEYS + " keys");
        }
        List<VerificationKey> keys = new ArrayList<>();
        for (JsonNode one : set.path("keys")) {
            VerificationKey key = key(one);
            if (key != null && algorithms.stream().anyMatch(key::isFor)) {
                keys.add(key);
            }
        }
        if (keys.isEmpty()) {
            throw new IllegalArgumentException(
                    "it has no public key for signatures of the algorithms that are accepted");
        }
        return new KeySet(keys);
    }

    private static JsonNode tree(byte[] json) {
        try {
            return JSON.readTree(json);
        } catch (IOException e) {
            throw new IllegalArgumentException("its answer is not JSON");
        }
    }

    private static @Nullable VerificationKey key(JsonNode one) {
        if (!one.isObject() || isForOtherUses(one)) {
            return null;
        }
        try {
            Map<String, Object> members = JSON.convertValue(one, MEMBERS);
            // A set may also contain secrets (kty oct). What is published is not a secret.
            PublicJsonWebKey key = PublicJsonWebKey.Factory.newPublicJwk(members);
            return new VerificationKey(
                    Optional.ofNullable(key.getKeyId()),
                    Optional.ofNullable(key.getAlgorithm()),
                    key.getPublicKey());
        } catch (JoseException | RuntimeException e) {
            return null;
        }
    }

    private static boolean isForOtherUses(JsonNode key) {
        if (key.has("use") && !key.path("use").asText().equals("sig")) {
            return true;
        }
        if (!key.has("key_ops")) {
            return false;
        }
        for (JsonNode operation : key.path("key_ops")) {
            if (operation.asText().equals("verify")) {
                return false;
            }
        }
        return true;
    }

    /**
     * Returns the keys to try for a token, at most {@link #MAX_TRIES}: those with its key id, or if
     * there are none, those without one; for a token without a key id, those of its algorithm.
     */
    List<VerificationKey> candidates(SignatureAlgorithm algorithm, Optional<String> keyId) {
        return matching(algorithm, keyId).stream().limit(MAX_TRIES).toList();
    }

    /** Tells whether more keys come into question than {@link #candidates} returns. */
    boolean hasMoreCandidates(SignatureAlgorithm algorithm, Optional<String> keyId) {
        return matching(algorithm, keyId).size() > MAX_TRIES;
    }

    private List<VerificationKey> matching(SignatureAlgorithm algorithm, Optional<String> keyId) {
        List<VerificationKey> sameType = keys.stream().filter(key -> key.isFor(algorithm)).toList();
        List<VerificationKey> same =
                sameType.stream().filter(key -> keyId.isEmpty() || key.id().equals(keyId)).toList();
        return same.isEmpty() ? sameType.stream().filter(key -> key.id().isEmpty()).toList() : same;
    }

    /** Tells whether one of the keys has this id. */
    boolean hasKeyOf(Optional<String> keyId) {
        return keyId.isPresent() && keys.stream().anyMatch(key -> key.id().equals(keyId));
    }
}
