package dev.parley.redis;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.Pattern;
import java.time.Duration;
import java.util.Optional;
import org.hibernate.validator.constraints.time.DurationMin;

/**
 * How Parley uses its Redis. Where that is, and how it is spoken to (TLS, password, Sentinel,
 * Cluster), is {@code quarkus.redis.*}.
 */
@ConfigMapping(prefix = "parley.redis")
public interface RedisConfig {

    /** First part of every key and channel; deployments that share a Redis need different ones. */
    @WithDefault("parley")
    @Pattern(regexp = "[A-Za-z0-9._-]{1,32}")
    public String prefix();

    /**
     * Channel on which any program may publish plain text to the readers of the lobby; empty turns
     * it off.
     */
    @WithDefault("chat")
    public Optional<String> plainChannel();

    /** How long Redis has to answer a command before the caller is told that it is away. */
    @WithDefault("2S")
    @DurationMin(millis = 10)
    public Duration timeout();

    /** Commands that may wait for an answer at a time; those above are refused at once. */
    @WithDefault("1024")
    @Min(1)
    @Max(2048)
    public int maxPending();

    /** How often the pod sends itself a message through Redis, to see that messages flow. */
    @WithDefault("2S")
    @DurationMin(millis = 100)
    public Duration probeInterval();

    /**
     * How long such a message may take before the connections are rebuilt, in whole seconds: a
     * connection on which nothing at all is read for so long is closed too.
     */
    @WithDefault("6S")
    @DurationMin(seconds = 1)
    public Duration probeTimeout();

    /** Shortest pause before connecting again. */
    @WithDefault("0.1S")
    @DurationMin(millis = 1)
    public Duration minBackoff();

    /** Longest pause before connecting again. */
    @WithDefault("2S")
    @DurationMin(millis = 1)
    public Duration maxBackoff();
}
