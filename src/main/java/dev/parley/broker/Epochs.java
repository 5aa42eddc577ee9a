package dev.parley.broker;

import java.util.UUID;

/** Makes names of epochs. */
public final class Epochs {

    private static final int BITS = 40;

    private Epochs() {}

    /**
     * Returns a new name: 40 random bits, as up to eight characters of {@code [0-9a-z]}. They come
     * from a random UUID, because its generator is seeded when the program starts. A generator in a
     * field of this class would be part of a native image, with the same seed in every pod.
     */
    public static String next() {
        long random = UUID.randomUUID().getMostSignificantBits();
        return Long.toString(random >>> (Long.SIZE - BITS), Character.MAX_RADIX);
    }
}
