package dev.parley;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.ConfigKeys;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The table of bounds in docs/security.md has the settings, defaults and tests of the code. */
class BoundsDocumentTest {

    private static final Pattern ROW =
            Pattern.compile(
                    "^\\| [^|]+ \\| `([a-z0-9.-]+)` \\| (`[^`]*`|none[^|]*) \\|[^|]*\\|([^|]*)\\|$",
                    Pattern.MULTILINE);
    private static final Pattern TEST = Pattern.compile("`(\\w+(IT|Test))`");

    @Test
    void everyLimit_isInTheTable() throws IOException {
        Set<String> documented = rows().map(row -> row.group(1)).collect(Collectors.toSet());

        assertThat(documented)
                .containsAll(
                        ConfigKeys.all().stream()
                                .map(ConfigKeys.Key::name)
                                .filter(name -> name.startsWith("parley.limits."))
                                .toList());
    }

    @Test
    void defaults_areThoseOfTheProgram() throws IOException {
        Map<String, String> defaults = defaults();

        assertThat(rows())
                .allSatisfy(
                        row ->
                                assertThat(row.group(2).replace("`", "").split(":", 2)[0])
                                        .as(row.group(1))
                                        .isEqualTo(defaults.get(row.group(1))));
    }

    @Test
    void tests_exist() throws IOException {
        Set<String> existing;
        try (Stream<Path> files = Files.walk(Path.of("src/test/java"))) {
            existing =
                    files.map(file -> file.getFileName().toString())
                            .map(name -> name.replace(".java", ""))
                            .collect(Collectors.toSet());
        }
        List<String> named = TEST.matcher(document()).results().map(test -> test.group(1)).toList();

        assertThat(named).isNotEmpty();
        assertThat(existing).containsAll(named);
    }

    private static Stream<MatchResult> rows() throws IOException {
        return ROW.matcher(document()).results();
    }

    private static String document() throws IOException {
        return Files.readString(Path.of("docs/security.md"));
    }

    /** Of Parley's own settings, and of the framework's that Parley changes. */
    private static Map<String, String> defaults() throws IOException {
        var properties = new Properties();
        properties.load(
                new StringReader(
                        Files.readString(Path.of("src/main/resources/application.properties"))));
        Map<String, String> defaults = new TreeMap<>();
        properties.stringPropertyNames().forEach(n -> defaults.put(n, properties.getProperty(n)));
        ConfigKeys.all()
                .forEach(key -> defaults.put(key.name(), key.defaultValue().orElse("none")));
        return defaults;
    }
}
