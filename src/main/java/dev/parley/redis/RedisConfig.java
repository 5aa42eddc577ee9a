package dev.parley.redis;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.Pattern;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;

/**
 * How Parley uses Redis. Where Redis is, and how to connect (TLS, password, Sentinel, Cluster), is
 * configured by {@code quarkus.redis.*}; where several servers are, by {@link #servers}.
 */
@ConfigMapping(prefix = "parley.redis")
public interface RedisConfig {

    /** The highest value of {@link #maxPending}. */
    int MAX_PENDING = 2048;

    /**
     * Several independent servers, each by a name of 1 to 32 lower-case letters and digits. Each
     * room is on one of them, which follows from the names. Instead of {@code quarkus.redis.hosts}.
     */
    Map<String, String> servers();

    /** First part of every key and channel; deployments that share a Redis need different ones. */
    @WithDefault("parley")
    @Pattern(regexp = "[A-Za-z0-9._-]{1,32}")
    String prefix();

    /**
     * Channel on which any program may publish plain text to the streams of the lobby; empty turns
     * it off.
     */
    @WithDefault("chat")
    Optional<String> plainChannel();

    /**
     * How long Redis has to answer a command before the call fails. An attempt to connect has twice
     * as long.
     */
    @WithDefault("2S")
    @DurationMin(millis = 10)
    @DurationMax(days = 36_500)
    Duration timeout();

    /**
     * Commands that may wait for an answer of one server at a time, 1 to 2,048; further ones are
     * refused. On a Cluster as many may wait for the connection to a node, and as many to be sent
     * again.
     */
    @WithDefault("2048")
    @Min(1)
    @Max(MAX_PENDING)
    int maxPending();

    /** How often the pod sends itself a probe message through Redis, to see that messages flow. */
    @WithDefault("2S")
    @DurationMin(millis = 100)
    @DurationMax(days = 36_500)
    Duration probeInterval();

    /**
     * How long the pod may receive no probe message before it makes both connections anew: one of
     * them hangs, or leads to the wrong server. This is checked whenever a message is sent.
     * Messages that are late but arrive do not end the connections.
     */
    @WithDefault("6S")
    @DurationMin(seconds = 1)
    @DurationMax(days = 36_500)
    Duration probeTimeout();

    /** Shortest pause before connecting again. */
    @WithDefault("0.1S")
    @DurationMin(millis = 1)
    @DurationMax(days = 36_500)
    Duration minBackoff();

    /** Longest pause before connecting again. */
    @WithDefault("2S")
    @DurationMin(millis = 1)
    @DurationMax(days = 36_500)
    Duration maxBackoff();
}
