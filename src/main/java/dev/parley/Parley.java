package dev.parley;

import dev.parley.http.ConnectionGuardInstaller;
import io.quarkus.runtime.ApplicationLifecycleManager;
import io.quarkus.runtime.LaunchMode;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;
import java.security.Security;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The program. */
@QuarkusMain
public final class Parley {

    /** How long the main thread may take to notice that everything has stopped. */
    private static final int NOTICE_SECONDS = 5;

    /** Seconds for which the JVM keeps an address. */
    private static final String FOUND_TTL = "networkaddress.cache.ttl";

    /** Seconds for which the JVM remembers that a name has no address. */
    private static final String NOT_FOUND_TTL = "networkaddress.cache.negative.ttl";

    /** What the JDK's own file of security properties says. */
    private static final String JDK_NOT_FOUND_TTL = "10";

    Parley() {}

    /** Runs until told to stop. */
    public static void main(String... args) {
        forgetAddressesSoon();
        ConnectionGuardInstaller.enable();
        if (LaunchMode.current() == LaunchMode.NORMAL) {
            exitCleanlyOnSignal();
        }
        Quarkus.run(args);
    }

    /**
     * Makes the JVM look names up again after a second, and at once if there was no address. It
     * would keep an address for 30 s and the lack of one for 10 s, and a Redis that comes back
     * under another address would be away as long. Takes effect only before the first look-up. What
     * the operator set in the JVM's security properties stays.
     */
    private static void forgetAddressesSoon() {
        if (Security.getProperty(FOUND_TTL) == null
                && System.getProperty("sun.net.inetaddr.ttl") == null) {
            Security.setProperty(FOUND_TTL, "1");
        }
        String notFound = Security.getProperty(NOT_FOUND_TTL);
        if (notFound == null || notFound.equals(JDK_NOT_FOUND_TTL)) {
            Security.setProperty(NOT_FOUND_TTL, "0");
        }
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
