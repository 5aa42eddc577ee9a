package dev.parley.ops;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;

/** Times of the drain. Delay and window together must fit into the platform's grace period. */
@ConfigMapping(prefix = "parley.drain")
public interface DrainConfig {

    /**
     * How long the pod goes on serving after it has stopped being ready, so that load balancers
     * take notice before connections fail. 0 by default; on Kubernetes some seconds are needed.
     */
    @WithDefault("0S")
    @DurationMin
    @DurationMax(days = 36_500)
    Duration delay();

    /** Longest time over which streams are ended; a pod with few streams takes less. */
    @WithDefault("15S")
    @DurationMin
    @DurationMax(days = 36_500)
    Duration window();
}
