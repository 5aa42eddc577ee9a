package dev.parley.ops;

import dev.parley.delivery.Hub;
import dev.parley.http.ClosingConnections;
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
 * returns when the streams have ended, connections are no longer accepted, and no requests come.
 * The framework then waits for publishes in flight and exits.
 */
@Singleton
public final class Drain {

    private static final Logger LOG = Logger.getLogger(Drain.class);

    /** Pause between two rounds that each end a part of the streams. */
    private static final Duration ROUND = Duration.ofMillis(100);

    /** Time for each stream: on a pod with few streams, these together are the window. */
    private static final Duration PER_STREAM = Duration.ofMillis(20);

    /** How long the last goodbyes may take to reach the network, and clients to become quiet. */
    private static final Duration LAST_WAIT = Duration.ofSeconds(2);

    /**
     * How long no request may have come. A client that sends one after the other on a connection
     * has had that connection closed by then.
     */
    private static final Duration QUIET = Duration.ofMillis(250);

    private final Hub hub;
    private final ClosingConnections connections;
    private final DrainConfig config;
    private volatile boolean started;

    Drain(Hub hub, ClosingConnections connections, DrainConfig config) {
        this.hub = hub;
        this.connections = connections;
        this.config = config;
    }

    /** Tells whether the program has begun to stop; from then on the pod is not ready. */
    boolean hasStarted() {
        return started;
    }

    void drain(@Observes ShutdownDelayInitiatedEvent event) throws InterruptedException {
        started = true;
        connections.closeAfterAnswers();
        hub.refuseStreams();
        Thread.sleep(config.delay().toMillis());
        int streams = hub.streams();
        if (streams > 0) {
            LOG.infof("Draining %d streams", streams);
            endStreams(streams);
        }
        // From here on readers and publishers that come back would only be cut later: they are to
        // find another pod at once.
        ListeningSockets.closePublicOnes();
        awaitQuiet();
        if (streams > 0) {
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
    }

    private void awaitQuiet() throws InterruptedException {
        long deadline = System.nanoTime() + LAST_WAIT.toNanos();
        hub.endStreams(1);
        while (!isQuiet() && System.nanoTime() < deadline) {
            Thread.sleep(ROUND.toMillis());
            hub.endStreams(1);
        }
    }

    private boolean isQuiet() {
        return hub.streams() == 0 && connections.sinceLastRequest().compareTo(QUIET) >= 0;
    }
}
