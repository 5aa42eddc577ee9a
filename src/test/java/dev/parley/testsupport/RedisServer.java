package dev.parley.testsupport;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * A real Redis server of the test's own, on a loopback port and in a temporary directory: it can be
 * killed, paused, and brought back on the same port with or without its data.
 */
public final class RedisServer implements Closeable {

    private static final int PORT_ATTEMPTS = 10;

    private final Path directory;
    private final int port;
    private volatile OwnedProcess process;

    private RedisServer(Path directory, int port, OwnedProcess process) {
        this.directory = directory;
        this.port = port;
        this.process = process;
    }

    /**
     * Starts a server that forgets everything when it ends.
     *
     * @param extraConfig lines as in redis.conf, such as {@code "maxmemory 10mb"}
     */
    public static RedisServer start(String... extraConfig) {
        return start(List.of("appendonly no"), List.of(extraConfig));
    }

    /** Starts a server that has every write on disk before it answers. */
    public static RedisServer startWithPersistence(String... extraConfig) {
        return start(List.of("appendonly yes", "appendfsync always"), List.of(extraConfig));
    }

    private static RedisServer start(List<String> persistence, List<String> extraConfig) {
        List<String> config = new ArrayList<>(persistence);
        config.addAll(extraConfig);
        for (int i = 1; ; i++) {
            Path directory = newDirectory();
            int port = Ports.free();
            try {
                writeConfig(directory, port, config);
                return new RedisServer(directory, port, launch(directory, port));
            } catch (PortTaken e) {
                delete(directory);
                if (i == PORT_ATTEMPTS) {
                    throw e;
                }
            } catch (RuntimeException e) {
                delete(directory);
                throw e;
            }
        }
    }

    public int port() {
        return port;
    }

    public String uri() {
        return "redis://127.0.0.1:" + port;
    }

    public long pid() {
        return process.pid();
    }

    /** The output of the current process. */
    public String log() {
        return process.log();
    }

    /** SIGKILL: gone at once, without a word to anybody. */
    public void kill() {
        process.kill();
    }

    /** SIGTERM, the orderly way; returns when the process has ended. */
    void stop() {
        process.terminate();
        process.awaitExit();
    }

    /** Brings the server back on its port, with what it has on disk; stops it first if it runs. */
    public void restart() {
        if (process.alive()) {
            stop();
        }
        relaunch();
    }

    /** Brings the server back on its port as a new, empty one; kills it first if it runs. */
    public void restartEmpty() {
        kill();
        delete(data(directory));
        relaunch();
    }

    private void relaunch() {
        Timeouts.await("port " + port + " to be free again")
                .ignoreException(PortTaken.class)
                .until(
                        () -> {
                            process = launch(directory, port);
                            return true;
                        });
    }

    /** SIGSTOP: connections stay open and get no answer. Linux only. */
    public void pause() {
        process.pause();
    }

    /** SIGCONT. */
    public void resume() {
        process.resume();
    }

    /**
     * Gives one command, beside the program under test.
     *
     * @throws RedisError if Redis answers with an error
     */
    public RedisReply command(String... args) {
        try (RedisConnection connection = RedisConnection.open(port, Timeouts.LIMIT)) {
            return connection.command(args);
        }
    }

    @Override
    public void close() {
        process.kill();
        delete(directory);
    }

    private static final class PortTaken extends RuntimeException {
        private static final long serialVersionUID = 1L;

        PortTaken(String log) {
            super(log);
        }
    }

    /** A process that answers, from our directory and not by chance somebody else's. */
    private static OwnedProcess launch(Path directory, int port) {
        mkdir(data(directory));
        OwnedProcess process =
                OwnedProcess.start(
                        new ProcessBuilder(RedisBinary.path(), config(directory).toString()));
        try {
            Timeouts.await("Redis on port " + port).until(() -> answers(process, directory, port));
            return process;
        } catch (RuntimeException e) {
            process.kill();
            throw e;
        }
    }

    private static boolean answers(OwnedProcess process, Path directory, int port) {
        if (!process.alive()) {
            process.awaitExit();
            throw startFailed(process.log());
        }
        try (RedisConnection connection = RedisConnection.open(port, Duration.ofSeconds(2))) {
            String where = connection.command("CONFIG", "GET", "dir").items().get(1).text();
            return connection.command("PING").text().equals("PONG")
                    && where.equals(data(directory).toString());
        } catch (UncheckedIOException | RedisError notYet) {
            return false;
        }
    }

    private static RuntimeException startFailed(String log) {
        return log.contains("Address already in use")
                ? new PortTaken(log)
                : new IllegalStateException("Redis did not start:\n" + log);
    }

    private static void writeConfig(Path directory, int port, List<String> extra) {
        List<String> lines =
                new ArrayList<>(
                        List.of(
                                "port " + port,
                                "bind 127.0.0.1",
                                "daemonize no",
                                "dir \"" + data(directory) + "\"",
                                "save \"\""));
        lines.addAll(extra);
        try {
            Files.write(config(directory), lines);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path config(Path directory) {
        return directory.resolve("redis.conf");
    }

    private static Path data(Path directory) {
        return directory.resolve("data");
    }

    private static Path newDirectory() {
        try {
            return Files.createTempDirectory("parley-redis").toRealPath();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void mkdir(Path directory) {
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Deletes all; again, if a child of the killed server still writes there. */
    private static void delete(Path root) {
        Timeouts.await("deletion of " + root)
                .ignoreExceptionsInstanceOf(IOException.class)
                .ignoreExceptionsInstanceOf(UncheckedIOException.class)
                .until(() -> deleteOnce(root));
    }

    private static boolean deleteOnce(Path root) throws IOException {
        if (Files.exists(root)) {
            try (Stream<Path> paths = Files.walk(root)) {
                for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(path);
                }
            }
        }
        return true;
    }
}
