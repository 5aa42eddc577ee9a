package dev.parley.testsupport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * A program on the {@code PATH} that a test runs. Where it is not installed the calling test is
 * skipped, except in CI (environment variable {@code CI=true}), where it fails, because there a
 * skipped test would be taken for one that passed.
 */
public final class Tool {

    private static final Set<String> SKIPPED_FOR = ConcurrentHashMap.newKeySet();

    private final String name;

    private Tool(String name) {
        this.name = name;
    }

    public static Tool named(String name) {
        if (!isInstalled(name)) {
            throw missing(name + " is not on the PATH, so nothing was checked with it");
        }
        return new Tool(name);
    }

    public static boolean isInstalled(String name) {
        return find(name).isPresent();
    }

    /** The first program of this name on the {@code PATH}. */
    public static Optional<Path> find(String name) {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .map(directory -> Path.of(directory, name))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /** Skips the calling test, or fails it in CI, for the reason that something is missing. */
    public static IllegalStateException missing(String reason) {
        return "true".equals(System.getenv("CI")) ? fail(reason) : skip(reason);
    }

    /**
     * Skips the calling test, in CI too, and prints the reason once. The test runner prints none,
     * and where a test is skipped before all tests of its class, it does not even count them.
     */
    public static IllegalStateException skip(String reason) {
        if (SKIPPED_FOR.add(reason)) {
            System.out.println("SKIPPED: " + reason);
        }
        return abort(reason);
    }

    /** Starts the program, and does not wait for its end. */
    public OwnedProcess start(String... arguments) {
        return OwnedProcess.start(new ProcessBuilder(words(arguments)));
    }

    /**
     * Runs to the end, for as long as {@link Timeouts} allows, asserts exit status 0, and returns
     * what the program printed to its standard output.
     */
    public String run(String... arguments) {
        List<String> command = words(arguments);
        try {
            // Files, which keep each byte of the output, and take any length of it.
            Path printed = Files.createTempFile(name, ".out");
            Path errors = Files.createTempFile(name, ".err");
            var builder =
                    new ProcessBuilder(command)
                            .redirectOutput(printed.toFile())
                            .redirectError(errors.toFile());
            try (OwnedProcess process = OwnedProcess.start(builder)) {
                int status = process.awaitExit();
                String output = Files.readString(printed);
                assertThat(status)
                        .as("%s:%n%s%s", command, output, Files.readString(errors))
                        .isZero();
                return output;
            } finally {
                Files.delete(printed);
                Files.delete(errors);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private List<String> words(String... arguments) {
        List<String> words = new ArrayList<>(List.of(name));
        words.addAll(List.of(arguments));
        return words;
    }
}
