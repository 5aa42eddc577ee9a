package dev.parley;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Checks that what the documents name exists: tests, files, classes, methods, imports. */
final class DocumentsTest {

    private static final Path ARCHITECTURE = Path.of("docs/architecture.md");

    private static final Pattern TEST_CLASS =
            Pattern.compile("`(?:[a-z]+/)*([A-Z]\\w*(?:Test|IT|Contract))`");
    private static final Pattern LINK = Pattern.compile("]\\(([^)#]+)(?:#[^)]*)?\\)");

    /** A class in code font, perhaps with a method or a nested class: {@code Hub.subscribe}. */
    private static final Pattern CLASS =
            Pattern.compile("`([A-Z]\\w*[a-z]\\w*)(?:\\.([A-Za-z]\\w*))?`");

    /** A declaration of a type, at any depth. */
    private static final Pattern DECLARATION =
            Pattern.compile(
                    "(?m)^ *(?:[a-z-]+ )*(?:class|interface|record|enum) ([A-Z]\\w*)[ (<{]");

    /** An arrow of a Mermaid flowchart. */
    private static final Pattern ARROW = Pattern.compile("(?m)^ +([a-z.]+) --> ([a-z.]+)$");

    static List<Path> documents() throws IOException {
        try (Stream<Path> docs = Files.walk(Path.of("docs"));
                Stream<Path> k8s = Files.walk(Path.of("k8s"));
                Stream<Path> top = Files.list(Path.of(""))) {
            return Stream.of(top, docs, k8s)
                    .flatMap(files -> files)
                    .filter(file -> file.toString().endsWith(".md"))
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("documents")
    void namedTests_exist(Path document) throws IOException {
        assertThat(found(TEST_CLASS, document)).isSubsetOf(classes("src/test/java").keySet());
    }

    @ParameterizedTest
    @MethodSource("documents")
    void links_leadToFiles(Path document) throws IOException {
        assertThat(found(LINK, document).stream().filter(link -> !link.contains(":")))
                .allMatch(link -> Files.exists(document.resolveSibling(link)));
    }

    @Test
    void architecture_namesClassesAndMethodsThatExist() throws IOException {
        Map<String, String> sources = types(classes("src/main/java").values());

        List<MatchResult> named = CLASS.matcher(Files.readString(ARCHITECTURE)).results().toList();

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

    /** Arrows that follow from others may be left out, so what the arrows lead to is compared. */
    @Test
    void architecture_drawsTheImportsThatAreAllowed() throws IOException {
        Map<String, Set<String>> drawn =
                ARROW.matcher(Files.readString(ARCHITECTURE))
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

    private static Set<String> reached(String from, Map<String, Set<String>> arrows) {
        Set<String> reached = new TreeSet<>(arrows.getOrDefault(from, Set.of()));
        for (String next : arrows.getOrDefault(from, Set.of())) {
            reached.addAll(reached(next, arrows));
        }
        return reached;
    }

    /** Returns the sources below a directory by the name of their class. */
    private static Map<String, String> classes(String directory) throws IOException {
        try (Stream<Path> files = Files.walk(Path.of(directory))) {
            return files.filter(file -> file.toString().endsWith(".java"))
                    .filter(file -> !file.endsWith("package-info.java"))
                    .collect(
                            Collectors.toMap(
                                    file -> file.getFileName().toString().replace(".java", ""),
                                    DocumentsTest::text));
        }
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

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> found(Pattern pattern, Path document) throws IOException {
        return pattern.matcher(Files.readString(document))
                .results()
                .map(match -> match.group(1))
                .toList();
    }
}
