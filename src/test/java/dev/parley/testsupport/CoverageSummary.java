package dev.parley.testsupport;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Sums up JaCoCo's CSV report in one line. */
final class CoverageSummary {

    private final List<String> columns;
    private final List<List<String>> classes;

    private CoverageSummary(List<String> lines) {
        List<List<String>> rows =
                lines.stream().map(line -> Arrays.asList(line.split(","))).toList();
        columns = rows.get(0);
        classes = rows.subList(1, rows.size());
    }

    public static void main(String[] args) throws IOException {
        System.out.println(of(Files.readAllLines(Path.of(args[0]))));
    }

    static String of(List<String> lines) {
        var summary = new CoverageSummary(lines);
        return "Coverage: %s of the lines, %s of the branches"
                .formatted(summary.share("LINE"), summary.share("BRANCH"));
    }

    private String share(String counter) {
        long covered = sum(counter + "_COVERED");
        long all = covered + sum(counter + "_MISSED");
        return String.format(
                Locale.ROOT, "%.1f %% (%d of %d)", 100.0 * covered / all, covered, all);
    }

    private long sum(String column) {
        int index = columns.indexOf(column);
        return classes.stream().mapToLong(row -> Long.parseLong(row.get(index))).sum();
    }
}
