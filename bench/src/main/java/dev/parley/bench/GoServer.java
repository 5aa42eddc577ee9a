package dev.parley.bench;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Starts the chat in {@code bench/go}, which is compiled when it is first needed, by Debian's
 * {@code golang-go} with the Redis client of {@code golang-gopkg-redis.v5-dev}.
 */
final class GoServer {

    private static final Path COMPILER = Path.of("/usr/bin/go");
    private static final Path LIBRARIES = Path.of("/usr/share/gocode");
    private static final Path REDIS_CLIENT = LIBRARIES.resolve("src/gopkg.in/redis.v5");
    private static final Path SOURCE = Path.of("go/server.go");
    private static final Path PROGRAM = Path.of("target/go/server");

    private GoServer() {}

    static boolean isInstalled() {
        return Files.isExecutable(COMPILER) && Files.isDirectory(REDIS_CLIENT);
    }

    static RunningServer start(Path directory, Redis redis) throws IOException {
        compile(directory.resolve("build.log"));
        int port = RunningServer.freePort();
        List<String> command =
                List.of(PROGRAM.toString(), "127.0.0.1:" + port, "127.0.0.1:" + redis.port());
        return RunningServer.start(
                new ProcessBuilder(command),
                directory.resolve("server.log"),
                port,
                List.of(URI.create("http://127.0.0.1:" + port + "/ready")),
                false);
    }

    /** Does nothing if the program is as new as its source: the compiler keeps what it made. */
    private static void compile(Path log) throws IOException {
        List<String> command =
                List.of(COMPILER.toString(), "build", "-o", PROGRAM.toString(), SOURCE.toString());
        var compiler = new ProcessBuilder(command);
        compiler.environment().put("GO111MODULE", "off");
        compiler.environment().put("GOPATH", LIBRARIES.toString());
        compiler.environment()
                .put("GOCACHE", Path.of("target/go/cache").toAbsolutePath().toString());
        RunningServer.build(compiler, SOURCE, log);
    }
}
