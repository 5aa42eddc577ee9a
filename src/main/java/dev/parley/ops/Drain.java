package dev.parley.ops;

import dev.parley.delivery.Hub;
import dev.parley.http.RequestGuard;
import io.quarkus.runtime.ShutdownDelayInitiatedEvent;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.time.Duration;
import org.jboss.logging.Logger;

/**
 * Ends a pod without a reader missing a message. On SIGTERM the pod stops being ready, refuses new
 * streams, and closes each connection of HTTP/1 after its next answer. After {@code
 * parley.drain.delay} it ends its streams evenly over {@code parley.drain.window}, each with a
 * goodbye and a random pause after which the reader reconnects, so that readers do not all reach
 * the other pods in the same second.
 *
 * <p>Runs in the framework's pre-shutdown phase, in which the server and the broker still work, and
 * returns when the streams have ended. The framework then waits for publishes in flight and exits.
 */
@Singleton
public final class Drain {

    private static final Logger LOG = Logger.getLogger(Drain.class);

    /** Pause between two rounds that each end a part of the streams. */
    private static final Duration ROUND = Duration.ofMillis(100);

    /** Time for each stream: on a pod with few streams, these together are the window. */
    private static final Duration PER_STREAM = Duration.ofMillis(20);

    /** How long the last goodbyes may take to reach the network. */
    private static final Duration LAST_GOODBYES = Duration.ofSeconds(2);

    private final Hub hub;
    private final RequestGuard requests;
    private final DrainConfig config;
    private volatile boolean started;

    Drain(Hub hub, RequestGuard requests, DrainConfig config) {
        this.hub = hub;
        this.requests = requests;
        this.config = config;
    }

    /** Tells whether the program has begun to stop; from then on the pod is not ready. */
    boolean hasStarted() {
        return started;
    }

    void drain(@Observes ShutdownDelayInitiatedEvent event) throws InterruptedException {
        started = true;
        requests.closeConnections();
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
        for (long rounds = Math.max(1, window / ROUND.toMillis()); rounds > 0; rounds--) {
            hub.endStreams((int) rounds);
            Thread.sleep(ROUND.toMillis());
        }
        long deadline = System.nanoTime() + LAST_GOODBYES.toNanos();
        while (hub.streams() > 0 && System.nanoTime() < deadline) {
            hub.endStreams(1);
            Thread.sleep(ROUND.toMillis());
        }
    }
}
