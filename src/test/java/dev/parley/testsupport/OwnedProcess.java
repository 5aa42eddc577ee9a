package dev.parley.testsupport;

import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * A child process that records its output, can be killed, paused and continued, and is killed when
 * this JVM exits.
 */
public final class OwnedProcess implements Closeable {

    private static final Set<Process> LEFT_OVER = ConcurrentHashMap.newKeySet();

    static {
        Runtime.getRuntime()
                .addShutdownHook(
                        new Thread(() -> LEFT_OVER.forEach(Process::destroyForcibly), "reaper"));
    }

    private final Process process;
    private final StringBuilder output = new StringBuilder();
    private boolean outputEnded;
    private volatile boolean paused;

    private OwnedProcess(Process process) {
        this.process = process;
    }

    /** Records the errors in the output too, unless the builder writes them into a file. */
    public static OwnedProcess start(ProcessBuilder builder) {
        try {
            builder.redirectErrorStream(
                    builder.redirectError().equals(ProcessBuilder.Redirect.PIPE));
            OwnedProcess owned = new OwnedProcess(builder.start());
            owned.adopt();
            return owned;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start " + builder.command(), e);
        }
    }

    private void adopt() throws IOException {
        LEFT_OVER.add(process);
        process.onExit().thenAccept(LEFT_OVER::remove);
        process.getOutputStream().close();
        Thread reader = new Thread(this::readOutput, "output of process " + pid());
        reader.setDaemon(true);
        reader.start();
    }

    long pid() {
        return process.pid();
    }

    public boolean alive() {
        return process.isAlive();
    }

    /** All output so far, whole lines only. */
    public String log() {
        synchronized (output) {
            return output.toString();
        }
    }

    /** Whether the output has ended, because the process has ended or is about to. */
    boolean outputEnded() {
        synchronized (output) {
            return outputEnded;
        }
    }

    /** Sends SIGKILL; returns when the process has ended and its output is read. */
    public void kill() {
        process.toHandle().destroyForcibly();
        awaitExit();
        paused = false;
    }

    /**
     * Sends SIGTERM and does not wait. A paused process is continued so that it gets the signal.
     */
    public void terminate() {
        // Not Process.destroy(): it closes our end of the output, so the last lines would be lost.
        process.toHandle().destroy();
        if (paused) {
            resume();
        }
    }

    /** Waits for the end of the process and of its output, and returns the exit code. */
    public int awaitExit() {
        try {
            if (!process.waitFor(Timeouts.millis(), TimeUnit.MILLISECONDS)) {
                throw new AssertionError(
                        "process %d still runs after %s%n%s"
                                .formatted(pid(), Timeouts.LIMIT, log()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while process " + pid() + " ends", e);
        }
        awaitOutput(all -> Optional.empty());
        return process.exitValue();
    }

    /**
     * Waits until {@code find} returns a value for the output so far, and returns that value; empty
     * if the output ends or the time limit passes first.
     */
    public <T> Optional<T> awaitOutput(Function<String, Optional<T>> find) {
        long deadline = System.nanoTime() + Timeouts.LIMIT.toNanos();
        synchronized (output) {
            Optional<T> found = find.apply(output.toString());
            while (found.isEmpty() && !outputEnded && waitUntil(deadline)) {
                found = find.apply(output.toString());
            }
            return found;
        }
    }

    private boolean waitUntil(long deadline) {
        try {
            long left = deadline - System.nanoTime();
            if (left > 0) {
                TimeUnit.NANOSECONDS.timedWait(output, left);
            }
            return left > 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for output", e);
        }
    }

    /** Sends SIGSTOP: the process keeps its memory, sockets and ports, and does nothing. */
    void pause() {
        signal("STOP");
        paused = true;
    }

    /** Sends SIGCONT. */
    void resume() {
        signal("CONT");
        paused = false;
    }

    private void signal(String name) {
        if (System.getProperty("os.name").startsWith("Windows")) {
            throw Tool.skip("Windows has no signals, so no process was paused");
        }
        ProcessBuilder kill = new ProcessBuilder("sh", "-c", "kill -" + name + " " + pid());
        OwnedProcess sender = start(kill);
        int exit = sender.awaitExit();
        if (exit != 0) {
            throw new IllegalStateException("kill -" + name + ": " + sender.log());
        }
    }

    private void readOutput() {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                append(line);
            }
        } catch (IOException closed) {
            append("(output ends: " + closed.getMessage() + ")");
        } finally {
            synchronized (output) {
                outputEnded = true;
                output.notifyAll();
            }
        }
    }

    private void append(String line) {
        synchronized (output) {
            output.append(line).append('\n');
            output.notifyAll();
        }
    }

    @Override
    public void close() {
        kill();
    }
}
