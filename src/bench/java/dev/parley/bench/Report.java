package dev.parley.bench;

import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The results as Markdown. */
final class Report {

    private static final String NOTHING = "–";

    private final Settings settings;
    private final Results results;

    Report(Settings settings, Results results) {
        this.settings = settings;
        this.results = results;
    }

    String markdown() {
        String warning =
                settings.scale() == 1
                        ? ""
                        : "**A trial with 1/%d of the readers.**%n%n".formatted(settings.scale());
        return warning + Stream.of(Table.values()).map(this::table).collect(Collectors.joining());
    }

    private String table(Table table) {
        List<Scenario> scenarios =
                settings.scenarios().stream().filter(s -> s.table() == table).toList();
        if (scenarios.isEmpty()) {
            return "";
        }
        List<String> titles =
                Stream.concat(
                                Stream.of("scenario", "server"),
                                Stream.concat(
                                        table.columns().stream().map(Table.Column::title),
                                        Stream.of("cost of idiomatic", "cost of nchan")))
                        .toList();
        return line(titles.stream())
                + line(titles.stream().map(title -> "---"))
                + scenarios.stream().map(this::rows).collect(Collectors.joining())
                + '\n';
    }

    private String rows(Scenario scenario) {
        return settings.servers().stream()
                .filter(Contestant::isInstalled)
                .map(server -> row(scenario, server))
                .collect(Collectors.joining());
    }

    private String row(Scenario scenario, Contestant server) {
        return line(
                Stream.concat(
                        Stream.concat(
                                Stream.of(scenario.title(), server.key()),
                                scenario.table().columns().stream()
                                        .map(column -> cell(scenario, server, column))),
                        Stream.of(
                                ratio(scenario, server, Contestant.IDIOMATIC),
                                ratio(scenario, server, Contestant.NCHAN))));
    }

    private String cell(Scenario scenario, Contestant server, Table.Column column) {
        OptionalDouble value = results.median(scenario, server, column.figure());
        String format = "%,." + column.decimals() + "f";
        return value.isPresent()
                ? String.format(Locale.ROOT, format, value.getAsDouble() * column.scale())
                : NOTHING;
    }

    private String ratio(Scenario scenario, Contestant server, Contestant other) {
        OptionalDouble mine = results.median(scenario, server, scenario.table().cost());
        OptionalDouble its = results.median(scenario, other, scenario.table().cost());
        return server == other || mine.isEmpty() || its.isEmpty() || its.getAsDouble() <= 0
                ? NOTHING
                : "× " + String.format(Locale.ROOT, "%.2f", mine.getAsDouble() / its.getAsDouble());
    }

    private static String line(Stream<String> cells) {
        return cells.collect(Collectors.joining(" | ", "| ", " |\n"));
    }
}
