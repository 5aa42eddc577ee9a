package dev.parley.delivery;

import java.time.Duration;
import java.util.Optional;

/**
 * How a client asks to be shown that its stream lives.
 *
 * @param pause the longest pause between two signs of life; the configured one if empty
 * @param asEvent whether they are events, at this pause whatever else is sent, instead of comments
 *     when nothing else is. A page cannot see comments, nor messages of types that it does not
 *     know.
 */
public record Heartbeat(Optional<Duration> pause, boolean asEvent) {

    /** A comment after the configured silence. */
    public static final Heartbeat DEFAULT = new Heartbeat(Optional.empty(), false);
}
