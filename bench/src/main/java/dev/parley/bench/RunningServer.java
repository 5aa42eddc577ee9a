package dev.parley.bench;

import java.io.IOException;
import java.net.BindException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * A server's process. It is killed when this JVM exits, if it is still running then.
 *
 * @param jvm whether it is a JVM
 * @param startMillis how long it took from its start until it was ready
 */
record RunningServer(Process process, int port, boolean jvm, long startMillis)
        implements AutoCloseable {

    private static final int LOWEST_PORT = 12_000;
    private static final int LOWEST_OUTGOING_PORT = 32_768;
    private static final Set<Process> RUNNING = ConcurrentHashMap.newKeySet();
    private static final long START_SECONDS = 60;
    private static final long STOP_SECONDS = 10;

    static {
        Runtime.getRuntime()
                .addShutdownHook(new Thread(() -> RUNNING.forEach(RunningServer::kill)));
    }

    /**
     * Starts a program and returns when it answers.
     *
     * @param log where its output goes
     * @param ready addresses of which one is answered with status 200 once the server is ready
     */
    static RunningServer start(
            ProcessBuilder program, Path log, int port, List<URI> ready, boolean jvm)
            throws IOException {
        program.environment()
                .keySet()
                .removeIf(name -> name.startsWith("QUARKUS_") || name.startsWith("PARLEY_"));
        program.redirectErrorStream(true).redirectOutput(log.toFile());
        long start = System.nanoTime();
        var server = new RunningServer(killedAtExit(program.start()), port, jvm, 0);
        try {
            server.awaitAnswer(ready, log);
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
            return new RunningServer(server.process, port, jvm, millis);
        } catch (RuntimeException | IOException e) {
            server.close();
            throw e;
        }
    }

    /** Registers a process to be killed when this JVM exits. */
    static Process killedAtExit(Process process) {
        RUNNING.add(process);
        process.onExit().thenAccept(RUNNING::remove);
        return process;
    }

    /**
     * Runs a program that builds a server.
     *
     * @param source what it builds, for the error
     * @param log where its output goes
     */
    static void build(ProcessBuilder program, Path source, Path log) throws IOException {
        program.redirectErrorStream(true).redirectOutput(log.toFile());
        Process process = killedAtExit(program.start());
        try {
            if (process.waitFor() != 0) {
                throw new IOException("building " + source + " failed:\n" + Files.readString(log));
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Finds a free loopback port. It is below the range for outgoing connections, so that the load
     * client's connections do not take it before the server does.
     */
    static int freePort() throws IOException {
        IOException last = new IOException("no attempt");
        for (int attempt = 0; attempt < 200; attempt++) {
            int port = ThreadLocalRandom.current().nextInt(LOWEST_PORT, LOWEST_OUTGOING_PORT);
            try (var socket = new ServerSocket()) {
                socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                return port;
            } catch (BindException taken) {
                last = taken;
            }
        }
        throw new IOException("no free port found", last);
    }

    long pid() {
        return process.pid();
    }

    private void awaitAnswer(List<URI> ready, Path log) throws IOException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        while (ready.stream().noneMatch(RunningServer::answers)) {
            if (!process.isAlive() || System.nanoTime() > end) {
                throw new IOException("the server did not start:\n" + Files.readString(log));
            }
            pause();
        }
    }

    private static boolean answers(URI ready) {
        try {
            var connection = (HttpURLConnection) ready.toURL().openConnection();
            connection.setConnectTimeout(1_000);
            connection.setReadTimeout(2_000);
            return connection.getResponseCode() == HttpURLConnection.HTTP_OK;
        } catch (IOException notYet) {
            return false;
        }
    }

    static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(20);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Kills the process and returns when it has ended. */
    @Override
    public void close() {
        killAndAwait(process);
    }

    static void killAndAwait(Process process) {
        kill(process);
        try {
            process.waitFor(STOP_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Kills the parent first, because nginx starts a new worker for one that ends. */
    private static void kill(Process process) {
        List<ProcessHandle> children = process.descendants().toList();
        process.destroyForcibly();
        children.forEach(ProcessHandle::destroyForcibly);
    }
}
