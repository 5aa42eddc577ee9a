package dev.parley.delivery;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import jakarta.validation.constraints.Min;
import java.util.OptionalInt;

/** How many event streams a pod accepts. Others receive a goodbye, and come back later. */
@ConfigMapping(prefix = "parley.limits")
public interface StreamLimitsConfig {

    /** Streams of the pod, 1 or more. */
    @WithDefault("20000")
    @Min(1)
    int connections();

    /**
     * Streams from one address, 1 or more. Behind a proxy every stream has the proxy's address
     * unless {@code quarkus.http.proxy.*} names the proxies to trust. An IPv6 client is its /64.
     */
    @WithDefault("5000")
    @Min(1)
    int connectionsPerAddress();

    /**
     * Rooms that the streams of one address read, each counted for each stream, 1 or more; 10,000
     * by default, and as many as it may have streams if that is more. An address may read many
     * rooms on one stream; this bounds the rooms that it can make a pod open.
     */
    @Min(1)
    OptionalInt roomsPerAddress();
}
