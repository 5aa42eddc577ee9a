package dev.parley.http;

import dev.parley.settings.PositiveSize;
import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithConverter;
import io.smallrye.config.WithDefault;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import java.util.OptionalInt;
import org.hibernate.validator.constraints.time.DurationMin;

/**
 * Bounds of what clients can make the HTTP server hold. One client address gets a quarter of each
 * number of bytes ({@link ByteBudget}). {@code docs/security.md} lists all bounds.
 */
@ConfigMapping(prefix = "parley.limits")
public interface BoundsConfig {

    /**
     * Connections of the pod, streams included, 1 or more; 4,000 more than streams by default, and
     * always fewer than the process may open files.
     */
    @Min(1)
    OptionalInt sockets();

    /**
     * Connections from one address, streams included, 1 or more; 1,000 more than streams by
     * default. Not applied while {@code quarkus.http.proxy.proxy-address-forwarding} is on: the
     * connections are the proxy's.
     */
    @Min(1)
    OptionalInt socketsPerAddress();

    /**
     * Longest time from the first byte of a request, or of the TLS handshake before it, to the end
     * of its head, at least 100 ms.
     */
    @WithDefault("10S")
    @DurationMin(millis = 100)
    Duration headTimeout();

    /** Bytes of incomplete heads of all connections. */
    @WithDefault("16M")
    @WithConverter(PositiveSize.class)
    MemorySize headBytes();

    /** Bytes of incomplete bodies of all requests. */
    @WithDefault("32M")
    @WithConverter(PositiveSize.class)
    MemorySize bodyBytes();

    /** Bytes of history that is being read, or whose answer its client has not taken. */
    @WithDefault("32M")
    @WithConverter(PositiveSize.class)
    MemorySize answerBytes();

    /** Longest time for a client to take an answer that is not a stream, at least 100 ms. */
    @WithDefault("60S")
    @DurationMin(millis = 100)
    Duration answerTimeout();
}
