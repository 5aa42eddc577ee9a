package dev.parley.delivery;

import java.time.Duration;
import java.util.Optional;

/**
 * How a client asks to be shown that its stream lives.
 *
 * @param pause the longest pause between two heartbeats; the configured one if empty
 * @param asEvent if true, heartbeats are events, and are sent at this pause whatever else is sent.
 *     If false, they are comments, and are sent when nothing else was. A page sees neither comments
 *     nor messages of event types that it does not listen for.
 */
public record Heartbeat(Optional<Duration> pause, boolean asEvent) {

    /** Comments, after the configured silence. */
    public static final Heartbeat DEFAULT = new Heartbeat(Optional.empty(), false);

    /**
     * Returns a heartbeat that comes before a connection on which nothing is said is closed.
     *
     * @param usual the pause that is meant if none is given
     * @param idle after which a silent connection is closed; never if it is 0
     */
    public Heartbeat within(Duration idle, Duration usual) {
        return idle.isZero() || pause.orElse(usual).compareTo(idle) <= 0
                ? this
                : new Heartbeat(Optional.of(idle.multipliedBy(3).dividedBy(4)), asEvent);
    }
}
