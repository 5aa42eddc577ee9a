package dev.parley.bench;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import redis.embedded.core.ExecutableProvider;

/**
 * A Redis process without persistence. Its program is the one that the environment variable {@code
 * PARLEY_TEST_REDIS} names, or else the one in the embedded-redis library.
 */
record Redis(Process process, int port) implements AutoCloseable {

    private static final long START_SECONDS = 10;

    /**
     * Starts a Redis and returns when it answers.
     *
     * @param directory where its log goes
     */
    static Redis start(Path directory) throws IOException {
        int port = RunningServer.freePort();
        Path log = directory.resolve("redis.log");
        List<String> command =
                List.of(
                        program(),
                        "--port",
                        Integer.toString(port),
                        "--bind",
                        "127.0.0.1",
                        "--save",
                        "",
                        "--appendonly",
                        "no");
        Process process =
                RunningServer.killedAtExit(
                        new ProcessBuilder(command)
                                .redirectErrorStream(true)
                                .redirectOutput(log.toFile())
                                .start());
        var redis = new Redis(process, port);
        try {
            redis.awaitAnswer(log);
            return redis;
        } catch (IOException | RuntimeException e) {
            redis.close();
            throw e;
        }
    }

    private static String program() throws IOException {
        Optional<String> named =
                Optional.ofNullable(System.getenv("PARLEY_TEST_REDIS")).filter(s -> !s.isBlank());
        return named.isPresent() ? named.get() : Embedded.program();
    }

    /** The program in the library, unpacked once. */
    private static final class Embedded {

        private static Optional<String> program = Optional.empty();

        private Embedded() {}

        static synchronized String program() throws IOException {
            if (program.isEmpty()) {
                Path directory = Files.createTempDirectory("parley-bench-redis");
                directory.toFile().deleteOnExit();
                File file = ExecutableProvider.newJarResourceProvider(directory.toFile()).get();
                file.deleteOnExit();
                program = Optional.of(file.getAbsolutePath());
            }
            return program.get();
        }
    }

    private void awaitAnswer(Path log) throws IOException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        while (!answers()) {
            if (!process.isAlive() || System.nanoTime() > end) {
                throw new IOException("Redis did not start:\n" + Files.readString(log));
            }
            RunningServer.pause();
        }
    }

    private boolean answers() {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(1_000);
            OutputStream out = socket.getOutputStream();
            out.write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
            out.flush();
            InputStream in = socket.getInputStream();
            return new String(in.readNBytes(5), StandardCharsets.US_ASCII).equals("+PONG");
        } catch (IOException notYet) {
            return false;
        }
    }

    String uri() {
        return "redis://127.0.0.1:" + port;
    }

    long pid() {
        return process.pid();
    }

    /** Kills the process and returns when it has ended. */
    @Override
    public void close() {
        RunningServer.killAndAwait(process);
    }
}
