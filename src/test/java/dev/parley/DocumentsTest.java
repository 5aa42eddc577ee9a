package dev.parley;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.ConfigKeys;
import dev.parley.testsupport.TextFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What the documents name exists: tests, files, classes, methods, imports, settings, defaults. */
final class DocumentsTest {

    private static final Path ARCHITECTURE = Path.of("docs/architecture.md");

    private static final Pattern TEST_CLASS =
            Pattern.compile("`(?:[a-z]+/)*([A-Z]\\w*(?:Test|IT|Contract))`");
    private static final Pattern LINK = Pattern.compile("]\\(([^)#]+)(?:#[^)]*)?\\)");

    /** A link to a heading: the file, if it is another one, and the heading's anchor. */
    private static final Pattern ANCHOR = Pattern.compile("]\\(([^)#:]*)#([^)]+)\\)");

    /** A class in code font, perhaps with a method or a nested class: {@code Hub.subscribe}. */
    private static final Pattern CLASS =
            Pattern.compile("`([A-Z]\\w*[a-z]\\w*)(?:\\.([A-Za-z]\\w*))?`");

    /** A script in code font. */
    private static final Pattern SCRIPT = Pattern.compile("`[a-z-]+\\.lua`");

    /** A declaration of a type, at any depth. */
    private static final Pattern DECLARATION =
            Pattern.compile(
                    "(?m)^ *(?:[a-z-]+ )*(?:class|interface|record|enum) ([A-Z]\\w*)[ (<{]");

    /** An arrow of a Mermaid flowchart. */
    private static final Pattern ARROW = Pattern.compile("(?m)^ +([a-z.]+) --> ([a-z.]+)$");

    /** A row of the bounds in docs/security.md. */
    private static final Pattern BOUND =
            Pattern.compile(
                    "^\\| [^|]+ \\| `([a-z0-9.-]+)` \\| (`[^`]*`|none[^|]*) \\|[^|]*\\|([^|]*)\\|$",
                    Pattern.MULTILINE);

    /** A row of the settings in docs/configuration.md. */
    private static final Pattern SETTING =
            Pattern.compile("^\\| `(parley\\.[^`]+)` \\| (none|`[^`]*`) \\|", Pattern.MULTILINE);

    /** A row of the framework's settings there. */
    private static final Pattern FRAMEWORK_SETTING =
            Pattern.compile("^\\| `(quarkus\\.[^`]+)` \\| (none|`[^`]*`) \\|", Pattern.MULTILINE);

    private static final String PROPERTIES = "src/main/resources/application.properties";

    static List<Path> documents() throws IOException {
        List<Path> documents = new ArrayList<>(TextFiles.below(Path.of("docs"), ".md"));
        documents.addAll(TextFiles.below(Path.of("k8s"), ".md"));
        try (Stream<Path> top = Files.list(Path.of(""))) {
            top.filter(file -> file.toString().endsWith(".md")).forEach(documents::add);
        }
        return documents;
    }

    @ParameterizedTest
    @MethodSource("documents")
    void namedTests_exist(Path document) {
        assertThat(found(TEST_CLASS, document)).isSubsetOf(classes("src/test/java").keySet());
    }

    @ParameterizedTest
    @MethodSource("documents")
    void links_leadToFiles(Path document) {
        assertThat(found(LINK, document).stream().filter(link -> !link.contains(":")))
                .allMatch(link -> Files.exists(document.resolveSibling(link)));
    }

    @ParameterizedTest
    @MethodSource("documents")
    void links_leadToHeadings(Path document) {
        assertThat(ANCHOR.matcher(TextFiles.read(document)).results())
                .allSatisfy(
                        link -> {
                            String file = link.group(1);
                            assertThat(
                                            anchors(
                                                    file.isEmpty()
                                                            ? document
                                                            : document.resolveSibling(file)))
                                    .as(link.group())
                                    .contains(link.group(2));
                        });
    }

    /** The anchors that Markdown renderers give the headings of a document. */
    private static List<String> anchors(Path document) {
        return TextFiles.read(document)
                .lines()
                .filter(line -> line.startsWith("#"))
                .map(line -> line.replaceFirst("^#+ ", "").toLowerCase(Locale.ROOT))
                .map(heading -> heading.replaceAll("[^a-z0-9_ -]", "").replace(' ', '-'))
                .toList();
    }

    @Test
    void architecture_namesClassesAndMethodsThatExist() {
        Map<String, String> sources = types(classes("src/main/java").values());

        List<MatchResult> named = CLASS.matcher(TextFiles.read(ARCHITECTURE)).results().toList();

        assertThat(named).hasSizeGreaterThan(50);
        assertThat(named)
                .allSatisfy(
                        name -> {
                            assertThat(sources).containsKey(name.group(1));
                            if (name.group(2) != null) {
                                assertThat(sources.get(name.group(1)))
                                        .as(name.group())
                                        .containsPattern("\\b" + name.group(2) + "\\(");
                            }
                        });
    }

    /** Each path is for an engineer who opens the files as he reads: as few as possible. */
    @ParameterizedTest
    @CsvSource({
        "## The path of a message, 'On a Redis Cluster, ', 20",
        "## The path of a client that comes back, 'Variations:', 14"
    })
    void architecture_path_leadsThroughFewFiles(String begin, String end, int most) {
        Map<String, String> sources = types(classes("src/main/java").values());
        String document = TextFiles.read(ARCHITECTURE);
        int start = document.indexOf(begin);
        String path = document.substring(start, document.indexOf(end, start));

        long scripts = SCRIPT.matcher(path).results().map(MatchResult::group).distinct().count();
        Set<String> files =
                CLASS.matcher(path)
                        .results()
                        .map(name -> sources.get(name.group(1)))
                        .collect(Collectors.toSet());

        assertThat(files.size() + scripts).isBetween(10L, (long) most);
    }

    /** Arrows that follow from others may be left out, so what the arrows lead to is compared. */
    @Test
    void architecture_drawsTheImportsThatAreAllowed() {
        Map<String, Set<String>> drawn =
                ARROW.matcher(TextFiles.read(ARCHITECTURE))
                        .results()
                        .collect(
                                Collectors.groupingBy(
                                        arrow -> arrow.group(1),
                                        Collectors.mapping(
                                                arrow -> arrow.group(2), Collectors.toSet())));

        assertThat(drawn).isNotEmpty();
        assertThat(ArchitectureTest.ALLOWED.keySet())
                .allSatisfy(
                        from ->
                                assertThat(reached(from, drawn))
                                        .as("what is drawn below %s", from)
                                        .isEqualTo(reached(from, ArchitectureTest.ALLOWED)));
    }

    @Test
    void security_listsEveryLimit() {
        Set<String> documented = bounds().map(row -> row.group(1)).collect(Collectors.toSet());

        assertThat(documented)
                .containsAll(
                        ConfigKeys.all().stream()
                                .map(ConfigKeys.Key::name)
                                .filter(name -> name.startsWith("parley.limits."))
                                .toList());
    }

    @Test
    void security_listsTheDefaultsOfTheProgram() throws IOException {
        Map<String, String> defaults = defaults();

        assertThat(bounds())
                .allSatisfy(
                        row ->
                                assertThat(row.group(2).replace("`", "").split(":", 2)[0])
                                        .as(row.group(1))
                                        .isEqualTo(defaults.get(row.group(1))));
    }

    /** The rows of the table of bounds in docs/security.md: setting and default. */
    private static Stream<MatchResult> bounds() {
        return BOUND.matcher(TextFiles.read("docs/security.md")).results();
    }

    /** Of Parley's own settings, and of the framework's that Parley changes. */
    private static Map<String, String> defaults() throws IOException {
        var properties = new Properties();
        try (var file = Files.newBufferedReader(Path.of(PROPERTIES))) {
            properties.load(file);
        }
        Map<String, String> defaults = new TreeMap<>();
        properties.stringPropertyNames().forEach(n -> defaults.put(n, properties.getProperty(n)));
        ConfigKeys.all()
                .forEach(key -> defaults.put(key.name(), key.defaultValue().orElse("none")));
        return defaults;
    }

    @Test
    void configuration_listsEverySettingWithItsDefault() {
        assertThat(SETTING.matcher(TextFiles.read("docs/configuration.md")).results())
                .extracting(row -> row.group(1) + " = " + row.group(2).replace("`", ""))
                .containsExactlyInAnyOrderElementsOf(
                        ConfigKeys.all().stream()
                                .map(key -> key.name() + " = " + key.defaultValue().orElse("none"))
                                .toList());
    }

    @Test
    void configuration_listsTheDefaultsThatTheProgramGivesTheFramework() throws IOException {
        Map<String, String> defaults = defaults();

        assertThat(FRAMEWORK_SETTING.matcher(TextFiles.read("docs/configuration.md")).results())
                .filteredOn(row -> defaults.containsKey(row.group(1)))
                .hasSizeGreaterThan(5)
                .allSatisfy(
                        row ->
                                assertThat(row.group(2).replace("`", ""))
                                        .as(row.group(1))
                                        .isEqualTo(defaults.get(row.group(1))));
    }

    /** A reader that comes back misses nothing within all of these bounds, and not within some. */
    @Test
    void guarantees_nameEveryBoundOfTheHistory_withItsDefault() {
        List<ConfigKeys.Key> bounds =
                ConfigKeys.all().stream()
                        .filter(key -> key.name().startsWith("parley.history."))
                        .filter(key -> !key.name().endsWith(".receipts"))
                        .toList();

        assertThat(bounds).hasSize(3);
        String promise = paragraph("README.md", "1. **In order, once, nothing lost.**", "\n2. ");
        String history = paragraph("docs/guarantees.md", "- The **history** has", "\n- ");
        assertThat(bounds)
                .allSatisfy(
                        key -> {
                            String inWords = inWords(key.defaultValue().orElseThrow());
                            assertThat(promise).contains(inWords);
                            assertThat(history).contains(inWords, "`" + key.name() + "`");
                        });
    }

    private static String paragraph(String document, String begin, String end) {
        String text = TextFiles.read(document);
        int start = text.indexOf(begin);
        return text.substring(start, text.indexOf(end, start));
    }

    /** Writes a default as prose does: 10,000, 16 MiB, 24 hours. */
    private static String inWords(String value) {
        return value.replaceAll("(?<=\\d)(?=(\\d{3})+$)", ",")
                .replaceAll("M$", " MiB")
                .replaceAll("H$", " hours");
    }

    private static Set<String> reached(String from, Map<String, Set<String>> arrows) {
        Set<String> reached = new TreeSet<>(arrows.getOrDefault(from, Set.of()));
        for (String next : arrows.getOrDefault(from, Set.of())) {
            reached.addAll(reached(next, arrows));
        }
        return reached;
    }

    /** Returns the sources below a directory by the name of their class. */
    private static Map<String, String> classes(String directory) {
        return TextFiles.below(Path.of(directory), ".java").stream()
                .filter(file -> !file.endsWith("package-info.java"))
                .collect(
                        Collectors.toMap(
                                file -> file.getFileName().toString().replace(".java", ""),
                                TextFiles::read));
    }

    /** Returns the sources by the names of the types that they declare, nested ones included. */
    private static Map<String, String> types(Collection<String> sources) {
        return sources.stream()
                .flatMap(
                        source ->
                                DECLARATION
                                        .matcher(source)
                                        .results()
                                        .map(type -> Map.entry(type.group(1), source)))
                .collect(
                        Collectors.toMap(
                                Map.Entry::getKey,
                                Map.Entry::getValue,
                                (one, other) -> one + other));
    }

    private static List<String> found(Pattern pattern, Path document) {
        return pattern.matcher(TextFiles.read(document))
                .results()
                .map(match -> match.group(1))
                .toList();
    }
}
