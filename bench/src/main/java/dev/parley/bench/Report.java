package dev.parley.bench;

import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Writes the results as Markdown tables. */
final class Report {

    private static final String NO_FIGURE = "–";

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
                        : "**Trial run with 1/%d of the readers.**%n%n".formatted(settings.scale());
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
                                        compared(table).map(server -> "cost of " + server.key())))
                        .toList();
        return line(titles.stream())
                + line(titles.stream().map(title -> "---"))
                + scenarios.stream().map(this::rows).collect(Collectors.joining())
                + '\n';
    }

    private String rows(Scenario scenario) {
        return settings.servers().stream()
                .filter(server -> server.isInstalled() && scenario.isFor(server))
                .map(server -> row(scenario, server))
                .collect(Collectors.joining());
    }

    private String row(Scenario scenario, MeasuredServer server) {
        return line(
                Stream.concat(
                        Stream.concat(
                                Stream.of(scenario.title(), server.key()),
                                scenario.table().columns().stream()
                                        .map(column -> cell(scenario, server, column))),
                        compared(scenario.table()).map(other -> ratio(scenario, server, other))));
    }

    /** The servers whose costs the others are compared with. */
    private Stream<MeasuredServer> compared(Table table) {
        return Stream.of(
                        MeasuredServer.OTHER,
                        MeasuredServer.IDIOMATIC,
                        MeasuredServer.GO,
                        MeasuredServer.NCHAN,
                        MeasuredServer.FLOOR)
                .filter(settings.servers()::contains)
                .filter(MeasuredServer::isInstalled)
                .filter(server -> isPlayed(table, server));
    }

    private boolean isPlayed(Table table, MeasuredServer server) {
        return settings.scenarios().stream()
                .anyMatch(scenario -> scenario.table() == table && scenario.isFor(server));
    }

    private String cell(Scenario scenario, MeasuredServer server, Table.Column column) {
        OptionalDouble value = results.median(scenario, server, column.figure());
        String format = "%,." + column.decimals() + "f";
        return value.isPresent()
                ? String.format(Locale.ROOT, format, value.getAsDouble() * column.scale())
                : NO_FIGURE;
    }

    private String ratio(Scenario scenario, MeasuredServer server, MeasuredServer other) {
        OptionalDouble cost = results.median(scenario, server, scenario.table().cost());
        OptionalDouble otherCost = results.median(scenario, other, scenario.table().cost());
        return server == other
                        || cost.isEmpty()
                        || otherCost.isEmpty()
                        || otherCost.getAsDouble() <= 0
                ? NO_FIGURE
                : "× "
                        + String.format(
                                Locale.ROOT, "%.2f", cost.getAsDouble() / otherCost.getAsDouble());
    }

    private static String line(Stream<String> cells) {
        return cells.collect(Collectors.joining(" | ", "| ", " |\n"));
    }
}
