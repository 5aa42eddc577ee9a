package dev.parley.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/** The figures of all runs of all scenarios. */
final class Results {

    private static final List<String> MUST_BE_ZERO =
            List.of(
                    "lost",
                    "duplicates",
                    "outOfOrder",
                    "gaps",
                    "disconnected",
                    "refused",
                    "openingFailures",
                    "openingsLost",
                    "publishFailures");

    private final List<Run> runs = new ArrayList<>();

    /**
     * One run.
     *
     * @param failure why there are no figures, empty if there are some
     */
    record Run(String scenario, String server, Map<String, Double> figures, String failure) {}

    void add(Scenario scenario, MeasuredServer server, Map<String, Double> figures) {
        runs.add(new Run(scenario.key(), server.key(), figures, ""));
    }

    void addFailure(Scenario scenario, MeasuredServer server, String why) {
        runs.add(new Run(scenario.key(), server.key(), Map.of(), why));
    }

    boolean hasFailures() {
        return runs.stream().anyMatch(run -> !run.failure().isEmpty());
    }

    /**
     * Whether Parley lost, repeated or reordered a message, refused one or a reader, cut a reader
     * off, or did not open a room, in any run.
     */
    boolean hasBrokenPromises() {
        return runs.stream()
                .filter(run -> run.server().startsWith(MeasuredServer.PARLEY.key()))
                .flatMap(run -> MUST_BE_ZERO.stream().map(run.figures()::get))
                .anyMatch(count -> count != null && count > 0);
    }

    /** Median of a figure over all runs; empty if no run has the figure. */
    OptionalDouble median(Scenario scenario, MeasuredServer server, String figure) {
        double[] values =
                runs.stream()
                        .filter(run -> run.scenario().equals(scenario.key()))
                        .filter(run -> run.server().equals(server.key()))
                        .filter(run -> run.figures().containsKey(figure))
                        .mapToDouble(run -> run.figures().get(figure))
                        .sorted()
                        .toArray();
        int middle = values.length / 2;
        if (values.length == 0) {
            return OptionalDouble.empty();
        }
        return OptionalDouble.of(
                values.length % 2 == 1
                        ? values[middle]
                        : (values[middle - 1] + values[middle]) / 2);
    }

    private Map<String, Map<String, Map<String, Double>>> medians(Settings settings) {
        Map<String, Map<String, Map<String, Double>>> all = new LinkedHashMap<>();
        for (Scenario scenario : settings.scenarios()) {
            Map<String, Map<String, Double>> servers = new LinkedHashMap<>();
            settings.servers().forEach(s -> servers.put(s.key(), medians(scenario, s)));
            all.put(scenario.key(), servers);
        }
        return all;
    }

    private Map<String, Double> medians(Scenario scenario, MeasuredServer server) {
        Map<String, Double> figures = new LinkedHashMap<>();
        runs.stream()
                .filter(run -> run.scenario().equals(scenario.key()))
                .filter(run -> run.server().equals(server.key()))
                .flatMap(run -> run.figures().keySet().stream())
                .distinct()
                .forEach(
                        figure ->
                                median(scenario, server, figure)
                                        .ifPresent(value -> figures.put(figure, value)));
        return figures;
    }

    void write(Path file, Settings settings) throws IOException {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("date", Instant.now().toString());
        document.put("processors", Runtime.getRuntime().availableProcessors());
        document.put("kernel", System.getProperty("os.version"));
        document.put("java", Runtime.version().toString());
        document.put("jvmFlags", settings.jvmFlags());
        document.put("other", settings.other().map(Path::toString).orElse(""));
        document.put("native", settings.nativeExecutable().map(Path::toString).orElse(""));
        document.put("scale", settings.scale());
        document.put("medians", medians(settings));
        document.put("runs", runs);
        new ObjectMapper()
                .enable(SerializationFeature.INDENT_OUTPUT)
                .writeValue(file.toFile(), document);
    }
}
