package dev.parley.access;

import io.vertx.core.Future;
import java.util.Optional;

/** The keys of an issuer, which may change. */
interface IssuerKeys {

    /** Returns the present keys; {@link KeySet#NONE} if they were never fetched. */
    KeySet current();

    /**
     * Fetches the keys because a token cannot be checked with those that are known.
     *
     * @param known the keys with which it cannot; if others have been fetched since, they are the
     *     result
     * @return completes with the keys that there are then, fails if they could not be fetched;
     *     empty if they are not fetched now
     */
    Optional<Future<KeySet>> refetch(KeySet known);

    /** Tells whether the last attempt to fetch them succeeded. */
    boolean areUpToDate();

    /** Returns keys that never change. */
    static IssuerKeys fixed(KeySet keys) {
        return new IssuerKeys() {
            @Override
            public KeySet current() {
                return keys;
            }

            @Override
            public Optional<Future<KeySet>> refetch(KeySet known) {
                return Optional.empty();
            }

            @Override
            public boolean areUpToDate() {
                return true;
            }
        };
    }
}
