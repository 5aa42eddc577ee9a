package dev.parley.access;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The outcomes of checks of tokens, by the SHA-256 of the token, so that the signature of a token
 * that is sent again need not be checked. Their number is bounded; those that were not used for
 * longest are dropped. Thread-safe.
 *
 * @param <V> the outcome
 */
final class RecentTokens<V> {

    /**
     * @param keys the keys that the token was checked with; with other ones it is checked anew
     * @param until when the outcome is no longer valid
     */
    private record Known<V>(V outcome, IssuerKeys issuer, KeySet keys, Instant until) {}

    private final Map<ByteBuffer, Known<V>> entries;

    RecentTokens(int max) {
        // In order of last use: the eldest entry is dropped first.
        this.entries =
                new LinkedHashMap<>(16, 0.75f, true) {

                    private static final long serialVersionUID = 1L;

                    @Override
                    protected boolean removeEldestEntry(Map.Entry<ByteBuffer, Known<V>> eldest) {
                        return size() > max;
                    }
                };
    }

    /** Returns what a token is stored by. */
    static ByteBuffer hash(String token) {
        return ByteBuffer.wrap(Sha256.digest(token));
    }

    /**
     * Returns the outcome for a token, if its time is not over and its issuer's keys are the same.
     */
    Optional<V> find(ByteBuffer hash, Instant now) {
        synchronized (entries) {
            Known<V> entry = entries.get(hash);
            if (entry == null) {
                return Optional.empty();
            }
            if (now.isBefore(entry.until) && entry.keys.equals(entry.issuer.current())) {
                return Optional.of(entry.outcome);
            }
            entries.remove(hash);
            return Optional.empty();
        }
    }

    void put(ByteBuffer hash, V outcome, IssuerKeys issuer, KeySet keys, Instant until) {
        synchronized (entries) {
            entries.put(hash, new Known<>(outcome, issuer, keys, until));
        }
    }
}
