package dev.parley.ops;

import dev.parley.delivery.Hub;
import io.quarkus.runtime.ShutdownDelayInitiatedEvent;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.time.Duration;
import org.jboss.logging.Logger;

/**
 * The end of a pod that nobody notices: not ready at once, streams ended evenly over a while, each
 * with a goodbye and a pause of its own.
 *
 * <p>Runs in the framework's pre-shutdown phase, while everything still works, and keeps that phase
 * from ending; what follows finds no stream open and has only publishes in flight to wait for.
 */
@Singleton
public final class Drain {

    private static final Logger LOG = Logger.getLogger(Drain.class);

    /** Pause between two rounds of ending streams. */
    private static final Duration STEP = Duration.ofMillis(100);

    /** A pod with few streams gives each no more than this. */
    private static final Duration PER_STREAM = Duration.ofMillis(20);

    /** How long the last goodbyes may take to leave. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(2);

    private final Hub hub;
    private final DrainConfig config;
    private volatile boolean started;

    Drain(Hub hub, DrainConfig config) {
        this.hub = hub;
        this.config = config;
    }

    /** Whether the pod is about to end. */
    boolean hasStarted() {
        return started;
    }

    void drain(@Observes ShutdownDelayInitiatedEvent event) throws InterruptedException {
        started = true;
        hub.refuseStreams();
        Thread.sleep(config.delay().toMillis());
        int streams = hub.streams();
        if (streams > 0) {
            LOG.infof("Draining %d streams", streams);
            endStreams(streams);
            LOG.infof("Drained, %d streams are left", hub.streams());
        }
    }

    private void endStreams(int streams) throws InterruptedException {
        long window =
                Math.min(config.window().toMillis(), PER_STREAM.multipliedBy(streams).toMillis());
        for (long rounds = Math.max(1, window / STEP.toMillis()); rounds > 0; rounds--) {
            hub.endStreams((int) rounds);
            Thread.sleep(STEP.toMillis());
        }
        long deadline = System.nanoTime() + LAST_WORDS.toNanos();
        while (hub.streams() > 0 && System.nanoTime() < deadline) {
            hub.endStreams(1);
            Thread.sleep(STEP.toMillis());
        }
    }
}
