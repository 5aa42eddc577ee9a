package dev.parley.bench.load;

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
    static WriteCallCounter attach(List<Long> pids) throws IOException, InterruptedException {
        Path summary = Files.createTempFile("bench-strace", ".txt");
        List<String> command = new ArrayList<>(List.of(STRACE.toString(), "-f", "-c"));
        command.addAll(List.of("-e", WRITES, "-o", summary.toString()));
        pids.forEach(pid -> command.addAll(List.of("-p", pid.toString())));
        Process strace =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
        TimeUnit.SECONDS.sleep(1);
        return new WriteCallCounter(strace, summary);
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
