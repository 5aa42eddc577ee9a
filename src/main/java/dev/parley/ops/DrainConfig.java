package dev.parley.ops;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMin;

/** How a pod ends. Delay and window together must fit into the platform's grace period. */
@ConfigMapping(prefix = "parley.drain")
public interface DrainConfig {

    /**
     * How long the pod goes on serving, though no longer ready, so that load balancers learn of it
     * before connections fail. Off by default; Kubernetes wants some seconds.
     */
    @WithDefault("0S")
    @DurationMin
    Duration delay();

    /** Time over which streams are ended at the most; a pod with few of them takes less. */
    @WithDefault("15S")
    @DurationMin
    Duration window();
}
