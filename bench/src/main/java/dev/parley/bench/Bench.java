package dev.parley.bench;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.parley.bench.load.LoadClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Runs the scenarios against the servers and writes the report. All processes that it starts end
 * before it does.
 */
public final class Bench {

    private static final Path OUTPUT = Path.of("target");
    private static final long CLIENT_SECONDS = 240;

    private final Settings settings;
    private final Results results = new Results();

    private Bench(Settings settings) {
        this.settings = settings;
    }

    /**
     * Runs the benchmark with the settings in the system properties {@code bench.*}. The exit
     * status is 1 if a run failed, or if Parley lost, repeated or reordered a message in one.
     */
    public static void main(String[] args) throws IOException {
        var bench = new Bench(Settings.fromSystemProperties());
        bench.runAll();
        bench.report();
        boolean failed = bench.results.hasFailures() || bench.results.hasBrokenPromises();
        System.exit(failed ? 1 : 0);
    }

    private void runAll() throws IOException {
        for (int run = 1; run <= settings.runs(); run++) {
            for (Scenario scenario : settings.scenarios()) {
                for (MeasuredServer server : settings.servers()) {
                    if (server.isInstalled() && scenario.isFor(server)) {
                        run(run, scenario, server);
                    }
                }
            }
        }
    }

    private void run(int run, Scenario scenario, MeasuredServer server) throws IOException {
        String name = scenario.key() + '-' + server.key() + '-' + run;
        Path directory = Files.createDirectories(OUTPUT.resolve("logs").resolve(name));
        try {
            Map<String, Double> figures = measure(scenario, server, directory);
            results.add(scenario, server, figures);
            System.out.printf("%s: %s%n", name, figures);
        } catch (IOException | RuntimeException e) {
            results.addFailure(scenario, server, e.toString());
            System.out.printf("%s failed: %s%n", name, e);
        }
    }

    private Map<String, Double> measure(Scenario scenario, MeasuredServer measured, Path directory)
            throws IOException {
        Optional<Redis> redis =
                measured.needsRedis(scenario)
                        ? Optional.of(Redis.start(directory))
                        : Optional.empty();
        List<RunningServer> pods = new ArrayList<>();
        try {
            for (int i = 1; i <= scenario.pods(); i++) {
                Path home =
                        scenario.pods() == 1
                                ? directory
                                : Files.createDirectories(directory.resolve("pod-" + i));
                MeasuredServer pod =
                        i > scenario.pods() - scenario.publishingPods()
                                ? measured.publishing()
                                : measured;
                pods.add(pod.start(settings, scenario, home, redis));
            }
            return load(scenario, pods, redis, directory);
        } finally {
            pods.forEach(RunningServer::close);
            redis.ifPresent(Redis::close);
        }
    }

    private Map<String, Double> load(
            Scenario scenario, List<RunningServer> pods, Optional<Redis> redis, Path directory)
            throws IOException {
        Path output = directory.resolve("figures.json");
        Path log = directory.resolve("client.log");
        List<String> command = new ArrayList<>(clientCommand());
        command.addAll(
                List.of(
                        "mode=" + scenario.table().mode(),
                        "ports=" + joined(pods, RunningServer::port),
                        "pids=" + joined(pods, RunningServer::pid),
                        "redisPid=" + redis.map(Redis::pid).orElse(0L),
                        "redisPort=" + redis.map(Redis::port).orElse(0),
                        "jvm=" + pods.get(0).jvm(),
                        "startMillis=" + pods.get(0).startMillis()));
        command.addAll(scenario.load(settings));
        Process client =
                RunningServer.killedAtExit(
                        new ProcessBuilder(command)
                                .redirectOutput(output.toFile())
                                .redirectError(log.toFile())
                                .start());
        await(client, log);
        return new ObjectMapper().readValue(output.toFile(), new TypeReference<>() {});
    }

    private static String joined(
            List<RunningServer> pods, Function<RunningServer, Object> property) {
        return pods.stream()
                .map(pod -> property.apply(pod).toString())
                .collect(Collectors.joining(","));
    }

    /** A small heap and the serial collector, to leave CPU and memory to the server. */
    private static List<String> clientCommand() {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx384m",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                LoadClient.class.getName());
    }

    private static void await(Process client, Path log) throws IOException {
        try {
            if (!client.waitFor(CLIENT_SECONDS, TimeUnit.SECONDS) || client.exitValue() != 0) {
                throw new IOException("the load client failed:\n" + Files.readString(log));
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        } finally {
            // With strace, which it may have started.
            RunningServer.killAndAwait(client);
        }
    }

    private void report() throws IOException {
        String markdown = new Report(settings, results).markdown();
        Files.writeString(OUTPUT.resolve("results.md"), markdown);
        results.write(OUTPUT.resolve("results.json"), settings);
        System.out.println(markdown);
    }
}
