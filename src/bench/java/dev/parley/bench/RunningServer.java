package dev.parley.bench;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * A server's process, which ends with us at the latest.
 *
 * @param jvm whether it is a JVM
 */
record RunningServer(Process process, int port, boolean jvm) implements AutoCloseable {

    private static final Set<Process> RUNNING = ConcurrentHashMap.newKeySet();
    private static final long START_SECONDS = 30;
    private static final long STOP_SECONDS = 10;

    static {
        Runtime.getRuntime()
                .addShutdownHook(new Thread(() -> RUNNING.forEach(RunningServer::kill)));
    }

    /**
     * Starts a program and waits until it answers.
     *
     * @param log where its output goes
     * @param path a page that is answered 200 once it is ready
     */
    static RunningServer start(ProcessBuilder program, Path log, int port, String path, boolean jvm)
            throws IOException {
        program.environment()
                .keySet()
                .removeIf(name -> name.startsWith("QUARKUS_") || name.startsWith("PARLEY_"));
        program.redirectErrorStream(true).redirectOutput(log.toFile());
        var server = new RunningServer(owned(program.start()), port, jvm);
        try {
            server.awaitAnswer(path, log);
            return server;
        } catch (RuntimeException | IOException e) {
            server.close();
            throw e;
        }
    }

    /** A process that is killed when we end. */
    static Process owned(Process process) {
        RUNNING.add(process);
        process.onExit().thenAccept(RUNNING::remove);
        return process;
    }

    long pid() {
        return process.pid();
    }

    private void awaitAnswer(String path, Path log) throws IOException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        while (!answers(path)) {
            if (!process.isAlive() || System.nanoTime() > end) {
                throw new IOException("it does not start:\n" + Files.readString(log));
            }
            pause();
        }
    }

    private boolean answers(String path) {
        try {
            URI uri = URI.create("http://127.0.0.1:" + port + path);
            var connection = (HttpURLConnection) uri.toURL().openConnection();
            connection.setConnectTimeout(1_000);
            connection.setReadTimeout(2_000);
            return connection.getResponseCode() == HttpURLConnection.HTTP_OK;
        } catch (IOException notYet) {
            return false;
        }
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(50);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Ends it and returns when it is gone. */
    @Override
    public void close() {
        kill(process);
        try {
            process.waitFor(STOP_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The parent first: it would replace a child that it lost. */
    private static void kill(Process process) {
        List<ProcessHandle> children = process.descendants().toList();
        process.destroyForcibly();
        children.forEach(ProcessHandle::destroyForcibly);
    }
}
