package dev.parley;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the documents point at is there. */
final class DocumentsTest {

    private static final Pattern TEST_CLASS =
            Pattern.compile("`(?:[a-z]+/)*([A-Z]\\w*(?:Test|IT|Contract))`");
    private static final Pattern LINK = Pattern.compile("]\\(([^)#]+)(?:#[^)]*)?\\)");

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
        Set<String> tests;
        try (Stream<Path> files = Files.walk(Path.of("src/test/java"))) {
            tests =
                    files.map(file -> file.getFileName().toString().replace(".java", ""))
                            .collect(Collectors.toSet());
        }

        assertThat(found(TEST_CLASS, document)).isSubsetOf(tests);
    }

    @ParameterizedTest
    @MethodSource("documents")
    void links_leadSomewhere(Path document) throws IOException {
        assertThat(found(LINK, document).stream().filter(link -> !link.contains(":")))
                .allMatch(link -> Files.exists(document.resolveSibling(link)));
    }

    private static List<String> found(Pattern pattern, Path document) throws IOException {
        return pattern.matcher(Files.readString(document))
                .results()
                .map(match -> match.group(1))
                .toList();
    }
}
