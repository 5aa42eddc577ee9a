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

/**
 * Liveness: every event loop still runs its tasks. Does not depend on Redis, because restarting the
 * pod would not repair Redis.
 */
@Liveness
@Singleton
public final class EventLoopsCheck implements HealthCheck {

    private static final Duration INTERVAL = Duration.ofSeconds(1);

    /** A loop that has run no task for this long counts as stuck. */
    private static final Duration MAX_SILENCE = Duration.ofSeconds(10);

    private final Map<EventExecutor, Long> lastRunNanos = new ConcurrentHashMap<>();
    private final HealthLog log = new HealthLog("Alive again", "Not alive", true);

    void start(@Observes StartupEvent event, Vertx vertx) {
        for (EventExecutor loop : ((VertxInternal) vertx).getEventLoopGroup()) {
            lastRunNanos.put(loop, System.nanoTime());
            loop.scheduleAtFixedRate(
                    () -> lastRunNanos.put(loop, System.nanoTime()),
                    0,
                    INTERVAL.toMillis(),
                    TimeUnit.MILLISECONDS);
        }
    }

    @Override
    public HealthCheckResponse call() {
        long now = System.nanoTime();
        long stuck =
                lastRunNanos.values().stream()
                        .filter(lastRun -> now - lastRun > MAX_SILENCE.toNanos())
                        .count();
        if (stuck == 0) {
            log.onUp();
            return HealthCheckResponse.up("event-loops");
        }
        String reason =
                "%d of %d event loops have run no task for %d seconds"
                        .formatted(stuck, lastRunNanos.size(), MAX_SILENCE.toSeconds());
        log.onDown(reason);
        return HealthCheckResponse.named("event-loops").down().withData("reason", reason).build();
    }
}
