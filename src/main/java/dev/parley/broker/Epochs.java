package dev.parley.broker;

import java.util.UUID;

/** Names of epochs. */
public final class Epochs {

    private static final int BITS = 40;

    private Epochs() {}

    /**
     * A name that no epoch had before: 40 random bits, up to eight characters of {@code [0-9a-z]}.
     * Taken from a random UUID, whose generator is never part of a native image; a generator of our
     * own would be, with its seed.
     */
    public static String next() {
        long random = UUID.randomUUID().getMostSignificantBits();
        return Long.toString(random >>> (Long.SIZE - BITS), Character.MAX_RADIX);
    }
}
