package dev.parley.bench;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Settings of the benchmark, from the system properties {@code bench.*}.
 *
 * @param scenarios the scenarios to run, in this order
 * @param servers the servers to measure, in this order
 * @param runs number of runs; the tables show medians
 * @param scale divisor of the number of readers, to try the benchmark out
 * @param seconds for how long the paced scenarios are measured
 * @param warmUp for how many seconds a scenario runs before it is measured
 * @param trace whether to count write calls with strace, in a separate short run
 * @param jvmFlags flags of every server that runs on a JVM
 * @param nativeExecutable native executable of Parley to measure instead of the jar
 * @param other {@code quarkus-run.jar} of another version of Parley to measure beside this one
 */
record Settings(
        List<Scenario> scenarios,
        List<MeasuredServer> servers,
        int runs,
        int scale,
        int seconds,
        int warmUp,
        boolean trace,
        List<String> jvmFlags,
        Optional<Path> nativeExecutable,
        Optional<Path> other) {

    /**
     * The flags of the container image, in a container of 1 GiB. An older JVM than the image's does
     * not know some of them.
     */
    private static final String JVM_FLAGS =
            "-XX:+IgnoreUnrecognizedVMOptions -XX:MaxRAM=1g @../src/main/docker/jvm.options";

    static Settings fromSystemProperties() {
        Optional<Path> other = path("bench.other");
        return new Settings(
                list(text("bench.scenarios", Scenario.DEFAULT)).stream()
                        .flatMap(Scenario::named)
                        .toList(),
                servers(other.isPresent()),
                number("bench.runs", "1"),
                number("bench.scale", "1"),
                number("bench.seconds", "5"),
                number("bench.warm-up", "12"),
                Boolean.parseBoolean(text("bench.trace", "true")),
                Arrays.asList(text("bench.jvm", JVM_FLAGS).split(" ")),
                path("bench.native"),
                other);
    }

    /** The servers that are named, and the other version of Parley if there is one. */
    private static List<MeasuredServer> servers(boolean withOther) {
        List<MeasuredServer> named =
                list(text("bench.servers", MeasuredServer.DEFAULT)).stream()
                        .map(MeasuredServer::named)
                        .toList();
        if (!withOther && named.contains(MeasuredServer.OTHER)) {
            throw new IllegalArgumentException("bench.servers: other needs -Dbench.other=PATH");
        }
        return withOther
                ? Stream.concat(named.stream(), Stream.of(MeasuredServer.OTHER)).distinct().toList()
                : named;
    }

    private static Optional<Path> path(String name) {
        return Optional.of(text(name, ""))
                .filter(path -> !path.isEmpty())
                .map(path -> Path.of(path).toAbsolutePath());
    }

    private static List<String> list(String text) {
        return Arrays.stream(text.split(",")).map(String::trim).filter(s -> !s.isEmpty()).toList();
    }

    private static int number(String name, String defaultValue) {
        return Integer.parseInt(text(name, defaultValue));
    }

    private static String text(String name, String defaultValue) {
        String value = System.getProperty(name, "");
        return value.isBlank() ? defaultValue : value;
    }
}
