package dev.parley.bench.load;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/**
 * Reads the CPU time, memory and write calls of processes and their children from {@code /proc},
 * and the live heap of JVMs from {@code jcmd}.
 */
final class ProcessStats {

    private static final long MICROS_PER_TICK = 10_000;
    private static final int USER_TIME = 11;

    private final List<Long> roots;
    private final boolean jvm;

    ProcessStats(List<Long> roots, boolean jvm) {
        this.roots = roots;
        this.jvm = jvm;
    }

    List<Long> pids() {
        return roots.stream()
                .flatMap(pid -> ProcessHandle.of(pid).stream())
                .flatMap(process -> Stream.concat(Stream.of(process), process.descendants()))
                .map(ProcessHandle::pid)
                .toList();
    }

    /** CPU time used since the start, in user and kernel mode. */
    long cpuMicros() {
        return sum(ProcessStats::cpuMicros);
    }

    private static long cpuMicros(long pid) {
        String stat = read(pid, "stat");
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        return (Long.parseLong(fields[USER_TIME]) + Long.parseLong(fields[USER_TIME + 1]))
                * MICROS_PER_TICK;
    }

    /** Proportional set size: a page shared by n processes counts 1/n. */
    long pssBytes() {
        return sum(pid -> 1024 * field(pid, "smaps_rollup", "Pss:"));
    }

    /** Number of {@code write} calls; {@code send} and its variants are not counted. */
    long writeCalls() {
        return sum(pid -> field(pid, "io", "syscw:"));
    }

    /**
     * Collects garbage, if the processes are JVMs. Twice, because the first collection makes more
     * objects unreachable (cleaners, references).
     */
    void collectGarbage() {
        if (jvm) {
            for (long pid : roots) {
                jcmd(pid, "GC.run");
                jcmd(pid, "GC.run");
            }
        }
    }

    /** Bytes of live objects, if the processes are JVMs. */
    OptionalLong liveHeap() {
        return jvm
                ? OptionalLong.of(roots.stream().mapToLong(ProcessStats::liveHeap).sum())
                : OptionalLong.empty();
    }

    private static long liveHeap(long pid) {
        return jcmd(pid, "GC.class_histogram")
                .lines()
                .filter(line -> line.startsWith("Total"))
                .mapToLong(line -> Long.parseLong(line.trim().split(" +", -1)[2]))
                .findFirst()
                .orElseThrow();
    }

    private static String jcmd(long pid, String command) {
        Path tool = Path.of(System.getProperty("java.home"), "bin", "jcmd");
        try {
            Process process =
                    new ProcessBuilder(tool.toString(), Long.toString(pid), command)
                            .redirectErrorStream(true)
                            .start();
            String output = new String(process.getInputStream().readAllBytes(), UTF_8);
            if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IllegalStateException("jcmd " + command + ": " + output);
            }
            return output;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private long sum(ToLongFunction<Long> figure) {
        return pids().stream().mapToLong(figure).sum();
    }

    private static long field(long pid, String file, String name) {
        return read(pid, file)
                .lines()
                .filter(line -> line.startsWith(name))
                .mapToLong(line -> Long.parseLong(line.trim().split("\\s+", -1)[1]))
                .findFirst()
                .orElse(0);
    }

    private static String read(long pid, String file) {
        try {
            return Files.readString(Path.of("/proc", Long.toString(pid), file));
        } catch (NoSuchFileException e) {
            throw new IllegalStateException("the server has ended", e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
