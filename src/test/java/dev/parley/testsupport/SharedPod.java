package dev.parley.testsupport;

import java.io.Closeable;

/**
 * A pod in memory that is shared by all tests that need only new rooms. Its heartbeat is short; all
 * other settings have their defaults.
 */
public final class SharedPod implements Closeable {

    /** Passes the pod to the constructors of test classes. */
    public static final class Extension extends SharedResource<SharedPod> {

        public Extension() {
            super(SharedPod.class, SharedPod::new);
        }
    }

    private final ParleyProcess process;
    private final Http http;

    private SharedPod() {
        process = ParleyProcess.builder().config("parley.events.heartbeat", "200ms").start();
        http = new Http(process.awaitReady().uri());
    }

    public ParleyProcess process() {
        return process;
    }

    public Http http() {
        return http;
    }

    public TestRoom newRoom() {
        return TestRoom.newAt(process, http);
    }

    @Override
    public void close() {
        process.close();
    }
}
