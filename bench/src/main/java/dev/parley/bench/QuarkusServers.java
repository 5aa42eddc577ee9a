package dev.parley.bench;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Starts the servers that are Quarkus applications. */
final class QuarkusServers {

    private static final Path PARLEY = Path.of("../target/quarkus-app/quarkus-run.jar");
    private static final Path PARLEY_SOURCES = Path.of("../src/main");
    private static final Path IDIOMATIC = Path.of("target/idiomatic/quarkus-app/quarkus-run.jar");
    private static final Path IDIOMATIC_SOURCES = Path.of("idiomatic");
    private static final String READY = "/q/health/ready";

    private QuarkusServers() {}

    static RunningServer parley(
            Settings settings, Scenario scenario, Path directory, Optional<Redis> redis)
            throws IOException {
        boolean jvm = settings.nativeExecutable().isEmpty();
        requireUpToDate(settings.nativeExecutable().orElse(PARLEY));
        List<String> program =
                settings.nativeExecutable()
                        .map(path -> List.of(path.toString()))
                        .orElseGet(() -> java(settings));
        return parley(program, PARLEY, scenario, directory, redis, jvm);
    }

    private static void requireUpToDate(Path program) throws IOException {
        if (!isUpToDate(program, PARLEY_SOURCES)) {
            throw new IOException(
                    program
                            + " is missing or older than "
                            + PARLEY_SOURCES
                            + ": run ./mvnw package -DskipTests first, with -Dnative for a native"
                            + " executable");
        }
    }

    /** Starts Parley with an AOT cache, which is made when it is first needed. */
    static RunningServer parleyWithCache(
            Settings settings, Scenario scenario, Path directory, Optional<Redis> redis)
            throws IOException {
        requireUpToDate(PARLEY);
        List<String> program = java(settings);
        program.add("-XX:AOTCache=" + AotCache.make(PARLEY, settings.jvmFlags()));
        // Without this a JVM with which the cache does not fit starts without it.
        program.add("-XX:AOTMode=on");
        return parley(program, PARLEY, scenario, directory, redis, true);
    }

    /** Starts another version of Parley, whose jar the settings name. */
    static RunningServer other(
            Settings settings, Scenario scenario, Path directory, Optional<Redis> redis)
            throws IOException {
        return parley(
                java(settings), settings.other().orElseThrow(), scenario, directory, redis, true);
    }

    private static RunningServer parley(
            List<String> program,
            Path jar,
            Scenario scenario,
            Path directory,
            Optional<Redis> redis,
            boolean jvm)
            throws IOException {
        int port = RunningServer.freePort();
        int management = RunningServer.freePort();
        List<String> command = new ArrayList<>(program);
        command.add("-Dquarkus.management.host=127.0.0.1");
        command.add("-Dquarkus.management.port=" + management);
        command.addAll(scenario.serverSettings());
        // Version 0.1 has its health on the public port.
        List<URI> ready = List.of(uri(management, READY), uri(port, READY));
        return start(command, jar, port, ready, directory, redis, jvm);
    }

    static RunningServer idiomatic(Settings settings, Path directory, Optional<Redis> redis)
            throws IOException {
        if (!isUpToDate(IDIOMATIC, IDIOMATIC_SOURCES)) {
            packageIdiomatic(directory);
        }
        int port = RunningServer.freePort();
        List<URI> ready = List.of(uri(port, "/ready"));
        return start(java(settings), IDIOMATIC, port, ready, directory, redis, true);
    }

    /** Returns the command of a JVM with the flags that all servers have. */
    static List<String> java(Settings settings) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(settings.jvmFlags());
        command.add("-Djava.util.logging.manager=org.jboss.logmanager.LogManager");
        return command;
    }

    private static RunningServer start(
            List<String> program,
            Path jar,
            int port,
            List<URI> ready,
            Path directory,
            Optional<Redis> redis,
            boolean jvm)
            throws IOException {
        List<String> command = new ArrayList<>(program);
        command.add("-Dquarkus.http.host=127.0.0.1");
        command.add("-Dquarkus.http.port=" + port);
        redis.ifPresent(r -> command.add("-Dquarkus.redis.hosts=" + r.uri()));
        if (jvm) {
            command.addAll(List.of("-jar", jar.toString()));
        }
        return RunningServer.start(
                new ProcessBuilder(command), directory.resolve("server.log"), port, ready, jvm);
    }

    private static URI uri(int port, String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }

    private static boolean isUpToDate(Path jar, Path sources) throws IOException {
        if (!Files.exists(jar)) {
            return false;
        }
        FileTime built = Files.getLastModifiedTime(jar);
        try (Stream<Path> files = Files.walk(sources)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                if (Files.getLastModifiedTime(file).compareTo(built) > 0) {
                    return false;
                }
            }
        }
        return true;
    }

    private static void packageIdiomatic(Path directory) throws IOException {
        var maven =
                new ProcessBuilder(
                        "../mvnw",
                        "-B",
                        "-q",
                        "-f",
                        IDIOMATIC_SOURCES.toString(),
                        "-Dquarkus.version=" + System.getProperty("bench.quarkus.version"),
                        "package");
        RunningServer.build(maven, IDIOMATIC_SOURCES, directory.resolve("build.log"));
    }
}
