package dev.parley.delivery;

import java.time.Instant;
import java.util.Optional;

/**
 * For whom a stream is open. The hub never inspects it; code that ends streams by holder does
 * ({@link Hub#endStreams}).
 */
@FunctionalInterface
public interface StreamHolder {

    /** Holds a stream without an end. */
    StreamHolder NEVER_EXPIRES = Optional::empty;

    /** Until when the stream may be open, by the clock of the pod; empty if there is no end. */
    Optional<Instant> until();
}
