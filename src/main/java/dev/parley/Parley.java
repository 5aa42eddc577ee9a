package dev.parley;

import dev.parley.cli.Commands;
import dev.parley.http.ConnectionGuardInstaller;
import dev.parley.http.RequestTarget;
import dev.parley.ops.PublicPorts;
import io.quarkus.runtime.ApplicationLifecycleManager;
import io.quarkus.runtime.LaunchMode;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.QuarkusApplication;
import io.quarkus.runtime.annotations.QuarkusMain;
import jakarta.inject.Singleton;
import java.security.Security;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The main class: prepares the JVM, and runs the program in the framework. */
@QuarkusMain
public final class Parley {

    /** How long the main thread may take to notice that everything has stopped. */
    private static final int NOTICE_SECONDS = 5;

    /** Seconds for which the JVM keeps an address. */
    private static final String FOUND_TTL = "networkaddress.cache.ttl";

    /** Seconds for which the JVM remembers that a name has no address. */
    private static final String NOT_FOUND_TTL = "networkaddress.cache.negative.ttl";

    /** The value of that property in the JDK's file, which no operator has chosen. */
    private static final String JDK_NOT_FOUND_TTL = "10";

    /**
     * How long the rest of a start may take during which the JVM ends. A start that hangs would
     * otherwise keep the process alive until it is killed.
     */
    private static final int START_SECONDS = 10;

    /** Whether the program is about to serve: from then on its end is the framework's shutdown. */
    private static volatile boolean started;

    /** Reaches zero when the framework has opened the ports and waits for the end. */
    private static final CountDownLatch SERVING = new CountDownLatch(1);

    Parley() {}

    /**
     * Runs the command that the first argument names; without arguments, the server, until it
     * receives SIGTERM or SIGINT.
     */
    public static void main(String... args) {
        if (args.length > 0) {
            System.exit(Commands.ofProgram().run(args));
        }
        forgetAddressesSoon();
        ConnectionGuardInstaller.enable();
        RequestTarget.disableFrameworkUriCheck();
        if (LaunchMode.current() == LaunchMode.NORMAL) {
            exitCleanlyOnSignal();
        }
        Quarkus.run(Server.class, args);
    }

    /**
     * What the framework runs when it has started and all its ports are open; it stops when this
     * returns.
     */
    @Singleton
    public static final class Server implements QuarkusApplication {

        private final PublicPorts ports;

        Server(PublicPorts ports) {
            this.ports = ports;
        }

        @Override
        public int run(String... args) {
            SERVING.countDown();
            ports.onOpen();
            Quarkus.waitForExit();
            return 0;
        }
    }

    /** Notes that the program has started; called before its ports are open. */
    static void onStarted() {
        started = true;
    }

    /**
     * Makes the JVM look names up again after a second, and at once if there was no address. It
     * would keep an address for 30 s and the lack of one for 10 s, and a Redis that comes back
     * under another address would not be found for that long. Takes effect only before the first
     * look-up. What the operator set in the JVM's security properties stays.
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
     * Makes the program exit with status 0 when it has stopped in good order after SIGTERM. A JVM
     * exits with 143 as soon as all its shutdown hooks have returned. So this adds a hook that does
     * not return before the main thread, in which the framework has stopped by then, has halted the
     * JVM with the framework's status. During the start it halts the JVM itself.
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
                    // Of a start that was refused, nothing is to be awaited.
                    SERVING.countDown();
                    exit.accept(status, failure);
                });
        var hook = new Thread(() -> onJvmEnds(exiting), "Exit status");
        try {
            Runtime.getRuntime().addShutdownHook(hook);
        } catch (IllegalStateException signalCameBefore) {
            Runtime.getRuntime().halt(0);
        }
    }

    private static void onJvmEnds(CountDownLatch exiting) {
        if (!started && exiting.getCount() > 0) {
            // A signal came during the start, in which nothing is served. The main thread would go
            // on starting, and fail with a stack trace: a JVM that ends takes no further hooks.
            Runtime.getRuntime().halt(0);
        }
        if (!await(SERVING, START_SECONDS) && exiting.getCount() > 0) {
            Runtime.getRuntime().halt(0);
        }
        awaitMain(exiting);
    }

    private static void awaitMain(CountDownLatch exiting) {
        var application = ApplicationLifecycleManager.getCurrentApplication();
        if (application != null) {
            application.awaitShutdown();
        }
        await(exiting, NOTICE_SECONDS);
    }

    /** Returns false if the time is over. */
    private static boolean await(CountDownLatch latch, int seconds) {
        try {
            return latch.await(seconds, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
