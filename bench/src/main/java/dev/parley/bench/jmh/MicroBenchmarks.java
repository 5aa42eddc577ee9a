package dev.parley.bench.jmh;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/** Runs all micro-benchmarks. */
public final class MicroBenchmarks {

    private static final Path OUTPUT = Path.of("target");

    private MicroBenchmarks() {}

    /**
     * Runs them and writes the figures to {@code target/jmh.json}.
     *
     * @param args a regular expression for the names of the benchmarks to run, by default all
     */
    public static void main(String[] args) throws IOException, RunnerException {
        Files.createDirectories(OUTPUT);
        var options =
                new OptionsBuilder()
                        .include(args.length == 0 ? ".*" : args[0])
                        .resultFormat(ResultFormatType.JSON)
                        .result(OUTPUT.resolve("jmh.json").toString());
        new Runner(options.build()).run();
    }
}
