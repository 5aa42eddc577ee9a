package dev.parley.bench;

import dev.parley.testsupport.Ports;
import dev.parley.testsupport.RedisServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The two servers that are Quarkus applications. */
final class Quarkus {

    private static final Path PARLEY = Path.of("target/quarkus-app/quarkus-run.jar");
    private static final Path IDIOMATIC =
            Path.of("target/bench/idiomatic/quarkus-app/quarkus-run.jar");

    private static final Path IDIOMATIC_SOURCES = Path.of("src/bench/idiomatic");

    private Quarkus() {}

    static RunningServer parley(Settings settings, Path directory, Optional<RedisServer> redis)
            throws IOException {
        boolean jvm = settings.nativeExecutable().isEmpty();
        List<String> program =
                settings.nativeExecutable()
                        .map(path -> List.of(path.toString()))
                        .orElseGet(() -> java(settings));
        return start(program, PARLEY, "/q/health/ready", directory, redis, jvm);
    }

    static RunningServer idiomatic(Settings settings, Path directory, Optional<RedisServer> redis)
            throws IOException {
        if (!isBuilt()) {
            build(directory);
        }
        return start(java(settings), IDIOMATIC, "/ready", directory, redis, true);
    }

    private static List<String> java(Settings settings) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(settings.jvmFlags());
        command.add("-Djava.util.logging.manager=org.jboss.logmanager.LogManager");
        return command;
    }

    private static RunningServer start(
            List<String> program,
            Path jar,
            String ready,
            Path directory,
            Optional<RedisServer> redis,
            boolean jvm)
            throws IOException {
        int port = Ports.free();
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

    private static boolean isBuilt() throws IOException {
        if (!Files.exists(IDIOMATIC)) {
            return false;
        }
        FileTime built = Files.getLastModifiedTime(IDIOMATIC);
        try (Stream<Path> sources = Files.walk(IDIOMATIC_SOURCES)) {
            for (Path source : sources.filter(Files::isRegularFile).toList()) {
                if (Files.getLastModifiedTime(source).compareTo(built) > 0) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Packages the application in {@code src/bench/idiomatic}. */
    private static void build(Path directory) throws IOException {
        Path log = directory.resolve("build.log");
        var maven =
                new ProcessBuilder(
                                "./mvnw",
                                "-B",
                                "-q",
                                "-f",
                                "src/bench/idiomatic/pom.xml",
                                "-Dquarkus.version=" + System.getProperty("bench.quarkus.version"),
                                "package")
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile());
        Process process = RunningServer.owned(maven.start());
        try {
            if (process.waitFor() != 0) {
                throw new IOException("idiomatic is not built:\n" + Files.readString(log));
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
