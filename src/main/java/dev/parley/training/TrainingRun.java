package dev.parley.training;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Makes the AOT cache of a JVM of JDK 25 or newer: starts the packaged program so that the JVM
 * records it, plays {@link TrainingCalls} against it, and ends it with SIGTERM, upon which the JVM
 * writes the cache. With a {@code redis-server} on the {@code PATH} the program uses that Redis, as
 * pods do; otherwise it keeps its messages in memory, and what it does with Redis is not in the
 * cache.
 *
 * <p>A JVM takes the cache only if it is the same build of the JDK, has the same class path with
 * unchanged files, and matching flags. So the run belongs in the build of the image, with the flags
 * of its entry point.
 */
public final class TrainingRun {

    private static final Pattern LISTENING =
            Pattern.compile(
                    "Listening on:? (http://\\S+?)\\. Management interface listening on"
                            + " (http://\\S+?)\\.?\\s");

    private static final int PATIENCE_SECONDS = 300;

    private TrainingRun() {}

    /**
     * Makes the cache. Exits with 0 if it is there, otherwise with 1; the output has the program's
     * log, and says why.
     *
     * @param args the file to write, the program's {@code quarkus-run.jar}, and the flags of the
     *     JVM; at least the first two
     */
    public static void main(String... args) {
        if (args.length < 2) {
            System.err.println("use: TrainingRun CACHE quarkus-run.jar [flag of the JVM ...]");
            System.exit(2);
        }
        try {
            Path cache = Path.of(args[0]);
            long start = System.nanoTime();
            make(cache, args[1], Arrays.asList(args).subList(2, args.length));
            System.out.printf(
                    "training run: %s has %,d bytes, made in %d s%n",
                    cache, Files.size(cache), (System.nanoTime() - start) / 1_000_000_000);
            System.exit(0);
        } catch (IOException | IllegalStateException e) {
            System.err.println("training run: there is no cache: " + e);
            System.exit(1);
        } catch (InterruptedException e) {
            System.exit(1);
        }
    }

    private static void make(Path cache, String jar, List<String> flags)
            throws IOException, InterruptedException {
        Files.deleteIfExists(cache);
        Optional<Redis> redis = Redis.start();
        System.out.println(
                redis.isPresent()
                        ? "training run: with Redis"
                        : "training run: in memory, as there is no redis-server on the PATH");
        try {
            List<String> settings = new ArrayList<>();
            redis.ifPresent(r -> settings.add("-Dquarkus.redis.hosts=" + r.uri()));
            train(command(cache, jar, flags, settings));
        } finally {
            redis.ifPresent(Redis::stop);
        }
        if (!Files.exists(cache)) {
            throw new IllegalStateException("the JVM wrote none; it must be JDK 25 or newer");
        }
    }

    private static List<String> command(
            Path cache, String jar, List<String> flags, List<String> settings) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(flags);
        command.add("-XX:AOTCacheOutput=" + cache);
        command.add("-Dquarkus.http.host=127.0.0.1");
        command.add("-Dquarkus.http.port=0");
        command.add("-Dquarkus.management.host=127.0.0.1");
        command.add("-Dquarkus.management.port=0");
        command.addAll(settings);
        command.addAll(List.of("-jar", jar));
        return command;
    }

    /** Runs the program from its start to its end, and returns when the JVM has ended. */
    private static void train(List<String> command) throws IOException, InterruptedException {
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        // Settings of the build's own environment would be trained.
        builder.environment()
                .keySet()
                .removeIf(name -> name.startsWith("QUARKUS_") || name.startsWith("PARLEY_"));
        Process program = builder.start();
        try {
            var listening = new CompletableFuture<Matcher>();
            Thread output = new Thread(() -> show(program, listening), "output of the program");
            output.start();
            Matcher addresses = listening.orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS).join();
            new TrainingCalls(URI.create(addresses.group(1)), URI.create(addresses.group(2)))
                    .play();
            // Not Process.destroy(), which closes the output: the last lines would be lost.
            program.toHandle().destroy();
            if (!program.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the program does not end");
            }
            output.join();
            if (program.exitValue() != 0) {
                throw new IllegalStateException(
                        "the program ended with status " + program.exitValue());
            }
        } catch (RuntimeException e) {
            throw new IllegalStateException("the program does not serve: " + e, e);
        } finally {
            program.destroyForcibly();
        }
    }

    /** Prints what the program prints, and completes the future with its addresses or its end. */
    private static void show(Process program, CompletableFuture<Matcher> listening) {
        try (BufferedReader lines = program.inputReader(UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                System.out.println(line);
                Matcher matcher = LISTENING.matcher(line + '\n');
                if (matcher.find()) {
                    listening.complete(matcher);
                }
            }
        } catch (IOException e) {
            System.err.println("training run: the program's output ends: " + e);
        }
        listening.completeExceptionally(new IllegalStateException("it ended before it listened"));
    }

    /** A Redis for the time of the run, which keeps nothing on the disk. */
    private record Redis(Process process, int port) {

        private static final String PROGRAM = "redis-server";

        /** Starts the server that is on the path, if there is one. */
        static Optional<Redis> start() throws IOException, InterruptedException {
            Optional<Path> program =
                    Stream.of(System.getenv("PATH").split(File.pathSeparator))
                            .map(directory -> Path.of(directory, PROGRAM))
                            .filter(Files::isExecutable)
                            .findFirst();
            if (program.isEmpty()) {
                return Optional.empty();
            }
            int port = freePort();
            List<String> command =
                    new ArrayList<>(List.of(program.get().toString(), "--bind", "127.0.0.1"));
            command.addAll(List.of("--port", Integer.toString(port)));
            command.addAll(List.of("--save", "", "--appendonly", "no"));
            Process process =
                    new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start();
            var redis = new Redis(process, port);
            redis.awaitAnswer();
            return Optional.of(redis);
        }

        private static int freePort() throws IOException {
            try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            }
        }

        private void awaitAnswer() throws IOException, InterruptedException {
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
            while (true) {
                try {
                    new Socket(InetAddress.getLoopbackAddress(), port).close();
                    return;
                } catch (IOException notYet) {
                    if (!process.isAlive() || System.nanoTime() > end) {
                        process.destroyForcibly();
                        throw new IOException(PROGRAM + " does not start", notYet);
                    }
                    TimeUnit.MILLISECONDS.sleep(50);
                }
            }
        }

        String uri() {
            return "redis://127.0.0.1:" + port;
        }

        void stop() {
            process.destroyForcibly();
        }
    }
}
