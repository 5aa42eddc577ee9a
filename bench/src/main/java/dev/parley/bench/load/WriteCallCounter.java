package dev.parley.bench.load;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/** Counts the write system calls of a server with strace. */
final class WriteCallCounter implements AutoCloseable {

    private static final Path STRACE = Path.of("/usr/bin/strace");
    private static final String WRITES = "trace=write,writev,sendto,sendmsg,sendmmsg,sendfile";

    private final Process strace;
    private final Path summary;

    private WriteCallCounter(Process strace, Path summary) {
        this.strace = strace;
        this.summary = summary;
    }

    static boolean isInstalled() {
        return Files.isExecutable(STRACE);
    }

    /** Attaches strace to these processes. */
    static WriteCallCounter attach(List<Long> pids) throws IOException {
        Path summary = Files.createTempFile("bench-strace", ".txt");
        List<String> command = new ArrayList<>(List.of(STRACE.toString(), "-f", "-c"));
        command.addAll(List.of("-e", WRITES, "-o", summary.toString()));
        pids.forEach(pid -> command.addAll(List.of("-p", pid.toString())));
        Process strace = new ProcessBuilder(command).redirectErrorStream(true).start();
        BufferedReader output = strace.inputReader();
        awaitAttached(output, pids.size());
        // It goes on printing a line for each new thread.
        var rest = new Thread(() -> output.lines().forEach(line -> {}), "output of strace");
        rest.setDaemon(true);
        rest.start();
        return new WriteCallCounter(strace, summary);
    }

    /** Returns when strace has all threads of the processes, or has ended. */
    private static void awaitAttached(BufferedReader output, int processes) throws IOException {
        int attached = 0;
        while (attached < processes) {
            String line = output.readLine();
            if (line == null) {
                return;
            }
            if (line.contains(" attached")) {
                attached++;
            }
        }
    }

    /** Detaches strace and returns the count; empty if strace was not permitted to attach. */
    OptionalLong detach() throws IOException, InterruptedException {
        strace.destroy();
        strace.waitFor(10, TimeUnit.SECONDS);
        return Files.readAllLines(summary).stream()
                .filter(line -> line.endsWith(" total"))
                .mapToLong(line -> Long.parseLong(line.trim().split("\\s+", -1)[3]))
                .findFirst();
    }

    @Override
    public void close() throws IOException {
        strace.destroyForcibly();
        Files.deleteIfExists(summary);
    }
}
