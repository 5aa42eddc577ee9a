package dev.parley.bench;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * What to measure, from the system properties {@code bench.*}.
 *
 * @param scenarios which ones, in this order
 * @param servers which ones, in this order
 * @param runs how often; the table shows medians
 * @param scale readers are divided by this, to try the benchmark out
 * @param seconds how long the paced scenarios are measured
 * @param warmUp seconds for which a scenario is played before it is measured
 * @param trace whether to count system calls with strace in a short run of its own
 * @param jvmFlags what every server that is a JVM runs with
 * @param nativeExecutable Parley as a native executable, to be measured instead of the jar
 */
record Settings(
        List<Scenario> scenarios,
        List<Contestant> servers,
        int runs,
        int scale,
        int seconds,
        int warmUp,
        boolean trace,
        List<String> jvmFlags,
        Optional<Path> nativeExecutable) {

    /** Those of the container image, in a container of 1 GiB. */
    private static final String JVM_FLAGS =
            "-XX:MaxRAM=1g -XX:MaxRAMPercentage=50 -XX:+UseG1GC -XX:MinHeapFreeRatio=10"
                    + " -XX:MaxHeapFreeRatio=30 -XX:G1PeriodicGCInterval=60000";

    static Settings fromSystemProperties() {
        return new Settings(
                list(text("bench.scenarios", Scenario.DEFAULT)).stream()
                        .flatMap(Scenario::named)
                        .toList(),
                list(text("bench.servers", Contestant.DEFAULT)).stream()
                        .map(Contestant::named)
                        .toList(),
                number("bench.runs", "1"),
                number("bench.scale", "1"),
                number("bench.seconds", "5"),
                number("bench.warm-up", "12"),
                Boolean.parseBoolean(text("bench.trace", "true")),
                Arrays.asList(text("bench.jvm", JVM_FLAGS).split(" ")),
                Optional.of(text("bench.native", ""))
                        .filter(path -> !path.isEmpty())
                        .map(path -> Path.of(path).toAbsolutePath()));
    }

    private static List<String> list(String text) {
        return Arrays.stream(text.split(",")).map(String::trim).filter(s -> !s.isEmpty()).toList();
    }

    private static int number(String name, String otherwise) {
        return Integer.parseInt(text(name, otherwise));
    }

    private static String text(String name, String otherwise) {
        String value = System.getProperty(name, "");
        return value.isBlank() ? otherwise : value;
    }
}
