package dev.parley.ops;

import io.quarkus.runtime.LaunchMode;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

/**
 * Whether the ports for clients are open. The management port opens before them, by up to half a
 * second where a certificate is read: a probe that found the pod ready in between would send
 * clients to a closed port. Thread-safe.
 */
@Singleton
public final class PublicPorts {

    /** Why the pod is neither started nor ready until they are open. */
    static final String CLOSED = "starting: the public port is not open yet";

    private volatile boolean open;

    /**
     * Counts those of tests in this JVM as open, which run the framework without our main class.
     */
    void start(@Observes StartupEvent event) {
        if (LaunchMode.current() == LaunchMode.TEST) {
            onOpen();
        }
    }

    /** Notes that the framework has opened all of them: for HTTP and HTTPS, if both are on. */
    public void onOpen() {
        open = true;
    }

    boolean areOpen() {
        return open;
    }
}
