package dev.parley.delivery;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import java.util.Optional;
import org.hibernate.validator.constraints.time.DurationMin;

/** How a stream is kept alive, and when it is ended. */
@ConfigMapping(prefix = "parley.events")
public interface EventsConfig {

    /**
     * Longest silence on a stream, so that proxies and both ends see that it lives: before it is
     * over, a comment is sent. A client can ask for another pause.
     */
    @WithDefault("8S")
    @DurationMin(millis = 50)
    Duration heartbeat();

    /** How long a connection may take no bytes before it is cut. */
    @WithDefault("10S")
    @DurationMin(millis = 50)
    Duration slowTimeout();

    /**
     * Longest pause that a busy event loop makes between two rounds of writing, so that what
     * arrives meanwhile leaves in the same write; the pause is as long as the round before it took,
     * and none after a quiet moment. 0 turns it off.
     */
    @WithDefault("5MS")
    @DurationMin
    Duration maxPace();

    /** Shortest pause that a reader is asked to make before it reconnects (the stream's retry). */
    @WithDefault("2S")
    @DurationMin(millis = 1)
    Duration minRetry();

    /**
     * Longest such pause; each stream is given one in between, so that readers come back spread.
     */
    @WithDefault("4S")
    @DurationMin(millis = 1)
    Duration maxRetry();

    /**
     * Age at which a stream is ended, to come back perhaps on another pod; off by default. Each
     * stream is given an age between half of this and all of it.
     */
    Optional<@DurationMin(seconds = 1) Duration> maxConnectionAge();
}
