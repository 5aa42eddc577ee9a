package dev.parley.bench;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.parley.bench.load.LoadClient;
import dev.parley.testsupport.RedisServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Runs the scenarios against the servers and reports. Everything it starts ends with it. */
public final class Bench {

    private static final Path OUTPUT = Path.of("target/bench");
    private static final long CLIENT_SECONDS = 240;

    private final Settings settings;
    private final Results results = new Results();

    private Bench(Settings settings) {
        this.settings = settings;
    }

    /**
     * Takes its settings from the system properties {@code bench.*}. Ends with status 1 if a run
     * failed or Parley did not keep its promises in one.
     */
    public static void main(String[] args) throws IOException {
        var bench = new Bench(Settings.fromSystemProperties());
        bench.runAll();
        bench.report();
        boolean failed = bench.results.hasFailures() || bench.results.showBrokenPromises();
        System.exit(failed ? 1 : 0);
    }

    private void runAll() throws IOException {
        for (int run = 1; run <= settings.runs(); run++) {
            for (Scenario scenario : settings.scenarios()) {
                for (Contestant server : settings.servers()) {
                    if (server.isInstalled()) {
                        run(run, scenario, server);
                    }
                }
            }
        }
    }

    private void run(int run, Scenario scenario, Contestant server) throws IOException {
        String name = scenario.key() + '-' + server.key() + '-' + run;
        Path directory = Files.createDirectories(OUTPUT.resolve("logs").resolve(name));
        try {
            Map<String, Double> figures = measure(scenario, server, directory);
            results.add(scenario, server, figures);
            System.out.printf("%s: %s%n", name, figures);
        } catch (IOException | RuntimeException e) {
            results.failed(scenario, server, e.toString());
            System.out.printf("%s failed: %s%n", name, e);
        }
    }

    private Map<String, Double> measure(Scenario scenario, Contestant contestant, Path directory)
            throws IOException {
        Optional<RedisServer> redis =
                contestant.needsRedis() ? Optional.of(RedisServer.start()) : Optional.empty();
        try (RunningServer server = contestant.start(settings, directory, redis)) {
            return load(scenario, server, redis.map(RedisServer::pid).orElse(0L), directory);
        } finally {
            redis.ifPresent(RedisServer::close);
        }
    }

    private Map<String, Double> load(
            Scenario scenario, RunningServer server, long redisPid, Path directory)
            throws IOException {
        Path output = directory.resolve("figures.json");
        Path log = directory.resolve("client.log");
        List<String> command = new ArrayList<>(client());
        command.addAll(
                List.of(
                        "mode=" + scenario.mode(),
                        "port=" + server.port(),
                        "pid=" + server.pid(),
                        "redisPid=" + redisPid,
                        "jvm=" + server.jvm()));
        command.addAll(scenario.load(settings));
        Process client =
                RunningServer.owned(
                        new ProcessBuilder(command)
                                .redirectOutput(output.toFile())
                                .redirectError(log.toFile())
                                .start());
        await(client, log);
        return new ObjectMapper().readValue(output.toFile(), new TypeReference<>() {});
    }

    /** Small and with the quickest collector: what it uses, the server lacks. */
    private static List<String> client() {
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
            client.destroyForcibly();
        }
    }

    private void report() throws IOException {
        String markdown = new Report(settings, results).markdown();
        Files.writeString(OUTPUT.resolve("results.md"), markdown);
        results.write(OUTPUT.resolve("results.json"), settings);
        System.out.println(markdown);
    }
}
