package dev.parley.ops;

import io.netty.util.concurrent.EventExecutor;
import io.quarkus.runtime.StartupEvent;
import io.vertx.core.Vertx;
import io.vertx.core.impl.VertxInternal;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Liveness;

/** Alive: every event loop still takes work. Says nothing of Redis, which no restart would mend. */
@Liveness
@Singleton
public final class EventLoopsCheck implements HealthCheck {

    private static final Duration INTERVAL = Duration.ofSeconds(1);

    /** A loop that did nothing for so long will not come back by itself. */
    private static final Duration MAX_SILENCE = Duration.ofSeconds(10);

    private final Map<EventExecutor, Long> seenNanos = new ConcurrentHashMap<>();

    void start(@Observes StartupEvent event, Vertx vertx) {
        for (EventExecutor loop : ((VertxInternal) vertx).getEventLoopGroup()) {
            seenNanos.put(loop, System.nanoTime());
            loop.scheduleAtFixedRate(
                    () -> seenNanos.put(loop, System.nanoTime()),
                    0,
                    INTERVAL.toMillis(),
                    TimeUnit.MILLISECONDS);
        }
    }

    @Override
    public HealthCheckResponse call() {
        long now = System.nanoTime();
        long stuck =
                seenNanos.values().stream()
                        .filter(seen -> now - seen > MAX_SILENCE.toNanos())
                        .count();
        var check = HealthCheckResponse.named("event-loops");
        if (stuck == 0) {
            return check.up().build();
        }
        String reason = stuck + " of " + seenNanos.size() + " are stuck for " + MAX_SILENCE;
        return check.down().withData("reason", reason).build();
    }
}
