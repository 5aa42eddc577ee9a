package dev.parley.http;

import dev.parley.settings.PositiveSize;
import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithConverter;
import io.smallrye.config.WithDefault;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import java.util.OptionalInt;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;

/**
 * Bounds of what clients can make the HTTP server hold. One client address gets a quarter of each
 * number of bytes ({@link ByteBudget}). {@code docs/security.md} lists all bounds.
 */
@ConfigMapping(prefix = "parley.limits")
public interface ServerLimitsConfig {

    /**
     * Connections of the pod, streams included, 1 or more; 4,000 more than streams by default, and
     * always fewer than the process may open files.
     */
    @Min(1)
    OptionalInt sockets();

    /**
     * Connections from one address, streams included, 1 or more; 1,000 more than streams by
     * default. A trusted proxy ({@code quarkus.http.proxy.*}) may have any number.
     */
    @Min(1)
    OptionalInt socketsPerAddress();

    /**
     * TLS handshakes of one address that have begun and not succeeded, 1 or more. One that is
     * broken off counts until {@link #headTimeout}. A trusted proxy may have any number.
     */
    @WithDefault("500")
    @Min(1)
    int handshakesPerAddress();

    /**
     * Frames that nothing asked for (PING, SETTINGS, PRIORITY, unknown ones, and more
     * WINDOW_UPDATE, RST_STREAM and small DATA than two for each request and each DATA frame that
     * the client got) on an HTTP/2 connection in 30 seconds, 100 or more.
     */
    @WithDefault("1000")
    @Min(100)
    int controlFrames();

    /**
     * HTTP/2 streams of one address that are reset in 30 seconds, by the client or because of a
     * frame that is wrong, 1 or more. A trusted proxy may reset any number.
     */
    @WithDefault("2000")
    @Min(1)
    int resetsPerAddress();

    /**
     * Longest time from the first byte of a request, or of the TLS handshake before it, to the end
     * of its head, at least 100 ms.
     */
    @WithDefault("10S")
    @DurationMin(millis = 100)
    @DurationMax(days = 36_500)
    Duration headTimeout();

    /**
     * Bytes in memory of heads that are incomplete, or whose requests wait or are not answered
     * ({@link RequestCost}).
     */
    @WithDefault("16M")
    @WithConverter(PositiveSize.class)
    MemorySize headBytes();

    /** Bytes in memory of incomplete bodies of all requests. */
    @WithDefault("32M")
    @WithConverter(PositiveSize.class)
    MemorySize bodyBytes();

    /** Bytes of publishes that wait for the broker, in memory. */
    @WithDefault("32M")
    @WithConverter(PositiveSize.class)
    MemorySize pendingBytes();

    /** Bytes of history that is being read, or whose answer its client has not taken. */
    @WithDefault("32M")
    @WithConverter(PositiveSize.class)
    MemorySize answerBytes();

    /**
     * Bytes that streams have been sent, that their clients have not taken, and that no other
     * stream shares.
     */
    @WithDefault("64M")
    @WithConverter(PositiveSize.class)
    MemorySize backlogBytes();

    /**
     * Bytes that the kernel holds for a client that does not take them (socket(7), SO_SNDBUF).
     * Linux takes twice as much, for its own structures too, and 4.5 KB at least.
     */
    @WithDefault("64K")
    @WithConverter(PositiveSize.class)
    MemorySize sendBuffer();

    /**
     * Longest time for a client to take an answer that is not a stream, or the end of a stream, at
     * least 100 ms.
     */
    @WithDefault("60S")
    @DurationMin(millis = 100)
    @DurationMax(days = 36_500)
    Duration answerTimeout();
}
