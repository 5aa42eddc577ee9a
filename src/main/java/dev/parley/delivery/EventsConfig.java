package dev.parley.delivery;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import java.util.Optional;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;

/** How a stream is kept alive, and when it is ended. */
@ConfigMapping(prefix = "parley.events")
public interface EventsConfig {

    /**
     * Longest silence on a stream: before it is over, a comment is sent, so that proxies and both
     * ends see that the stream lives. A client can ask for another pause.
     */
    @WithDefault("8S")
    @DurationMin(millis = 50)
    @DurationMax(days = 36_500)
    Duration heartbeat();

    /** How long a connection may go on being not writable before it is cut. */
    @WithDefault("10S")
    @DurationMin(millis = 50)
    @DurationMax(days = 36_500)
    Duration slowTimeout();

    /**
     * Longest pause that an event loop makes between two rounds of writing, so that messages that
     * arrive meanwhile leave in one write. The pause is as long as the round before it took, and
     * has passed already if that was a while ago. 0 turns it off.
     */
    @WithDefault("5MS")
    @DurationMin
    @DurationMax(days = 36_500)
    Duration maxPace();

    /**
     * Shortest pause before reconnecting that a client is asked for (the stream's {@code retry}).
     */
    @WithDefault("2S")
    @DurationMin(millis = 1)
    @DurationMax(days = 36_500)
    Duration minRetry();

    /**
     * Longest pause before reconnecting. A pause between the two is drawn for each stream, so that
     * clients come back spread.
     */
    @WithDefault("4S")
    @DurationMin(millis = 1)
    @DurationMax(days = 36_500)
    Duration maxRetry();

    /**
     * Greatest age of a stream. It is ended then, and its client comes back, perhaps on another
     * pod; off by default. An age between half of this and all of it is drawn for each stream.
     */
    Optional<@DurationMin(seconds = 1) @DurationMax(days = 36_500) Duration> maxConnectionAge();
}
