package dev.parley.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.TextFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * {@code docs/clients.md}: its table is the result of the suite, and its examples are parts of the
 * drivers.
 *
 * <p>With the system property {@code clients.write} both are written into the document; without it
 * they are compared.
 */
final class ClientsDocument {

    private static final Path FILE = Path.of("docs/clients.md");
    private static final Path JAVA = Path.of("src/test/java/dev/parley/clients/JavaClients.java");

    private static final Pattern TABLE =
            Pattern.compile("(<!-- table -->\n).*?(<!-- end of table -->)", Pattern.DOTALL);
    private static final Pattern EXAMPLE =
            Pattern.compile("(<!-- example: (\\S+) -->\n).*?\n```\n", Pattern.DOTALL);
    private static final Pattern REGION =
            Pattern.compile("(?://|#) example\n(.*?)\n *(?://|#) end\n", Pattern.DOTALL);

    private ClientsDocument() {}

    /** Compares the document with these results, or writes them into it. */
    static void check(Map<Scenario, Map<ClientLibrary, Optional<String>>> verdicts) {
        String document = TextFiles.read(FILE);
        String current = withExamples(TABLE.matcher(document).replaceAll(quote(table(verdicts))));
        if (Boolean.getBoolean("clients.write")) {
            write(current);
            document = current;
        }
        assertThat(document)
                .as("%s, which -Dclients.write=true writes anew", FILE)
                .isEqualTo(current);
        assertThat(document)
                .as("examples of all libraries")
                .contains(
                        Stream.of(ClientLibrary.values())
                                .map(library -> "<!-- example: " + library.example() + " -->")
                                .toList());
    }

    /** The results as a Markdown table. */
    static String table(Map<Scenario, Map<ClientLibrary, Optional<String>>> verdicts) {
        String head = row("library", "set", Stream.of(Scenario.values()).map(Scenario::title));
        String rule = row("---", "---", Stream.of(Scenario.values()).map(scenario -> "---"));
        return Stream.of(ClientLibrary.values())
                .map(library -> row(library, verdicts))
                .collect(Collectors.joining("", head + rule, ""));
    }

    private static String row(
            ClientLibrary library, Map<Scenario, Map<ClientLibrary, Optional<String>>> verdicts) {
        return row(
                library.title(),
                library.settings(),
                Stream.of(Scenario.values())
                        .map(scenario -> verdicts.get(scenario).get(library).orElse("ok")));
    }

    private static String row(String first, String second, Stream<String> more) {
        return Stream.concat(Stream.of(first, second), more)
                .collect(Collectors.joining(" | ", "| ", " |\n"));
    }

    private static String quote(String table) {
        return "$1" + Matcher.quoteReplacement(table) + "$2";
    }

    private static String withExamples(String document) {
        return EXAMPLE.matcher(document).replaceAll(ClientsDocument::withExample);
    }

    private static String withExample(MatchResult marker) {
        String driver = marker.group(2);
        String language = driver.substring(driver.lastIndexOf('.') + 1);
        return Matcher.quoteReplacement(
                "%s```%s\n%s\n```\n".formatted(marker.group(1), language, example(driver)));
    }

    /** The part of a driver between its comments {@code example} and {@code end}. */
    private static String example(String driver) {
        String source;
        if (driver.endsWith(".java")) {
            source = javaClass(driver.replace(".java", ""));
        } else {
            source = TextFiles.read(ClientFiles.SOURCES.resolve("drivers").resolve(driver));
        }
        Matcher region = REGION.matcher(source);
        assertThat(region.find()).as("an example in %s", driver).isTrue();
        return region.group(1).stripIndent();
    }

    /** The part of {@link JavaClients} from the class with this driver's name on. */
    private static String javaClass(String driver) {
        String source = TextFiles.read(JAVA);
        int start =
                source.indexOf(
                        switch (driver) {
                            case "okhttp-sse" -> "class OkHttpSse ";
                            case "okhttp-eventsource" -> "class LaunchDarkly ";
                            case "jersey" -> "class Jersey ";
                            default -> throw new IllegalArgumentException(driver);
                        });
        return source.substring(start);
    }

    private static void write(String document) {
        try {
            Files.writeString(FILE, document);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
