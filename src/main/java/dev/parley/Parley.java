package dev.parley;

import io.quarkus.runtime.ApplicationLifecycleManager;
import io.quarkus.runtime.LaunchMode;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The program. */
@QuarkusMain
public final class Parley {

    /** How long the main thread may take to notice that everything has stopped. */
    private static final int NOTICE_SECONDS = 5;

    Parley() {}

    /** Runs until told to stop. */
    public static void main(String... args) {
        if (LaunchMode.current() == LaunchMode.NORMAL) {
            exitCleanlyOnSignal();
        }
        Quarkus.run(args);
    }

    /**
     * Makes a SIGTERM that was carried out in good order end with status 0. A JVM ends with 143
     * once its shutdown hooks are through, so one of them waits for the main thread, which is
     * faster.
     */
    private static void exitCleanlyOnSignal() {
        var exit = ApplicationLifecycleManager.getDefaultExitCodeHandler();
        var exiting = new CountDownLatch(1);
        ApplicationLifecycleManager.setDefaultExitCodeHandler(
                (status, failure) -> {
                    if (ApplicationLifecycleManager.isVmShuttingDown()) {
                        System.out.flush();
                        System.err.flush();
                        Runtime.getRuntime().halt(status);
                    }
                    exiting.countDown();
                    exit.accept(status, failure);
                });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> awaitMain(exiting), "Exit status"));
    }

    private static void awaitMain(CountDownLatch exiting) {
        var application = ApplicationLifecycleManager.getCurrentApplication();
        if (application != null) {
            application.awaitShutdown();
        }
        try {
            exiting.await(NOTICE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
