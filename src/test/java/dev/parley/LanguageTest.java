package dev.parley;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.TextFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No text of the repository contains a turn of phrase that CONTRIBUTING.md says not to use. */
final class LanguageTest {

    private static final Path LIST = Path.of("CONTRIBUTING.md");

    /** A row of the table: the first cell has the banned turns, each in quotation marks. */
    private static final Pattern ROW = Pattern.compile("^\\| (\"[^|]*) \\|", Pattern.MULTILINE);

    private static final Pattern QUOTED = Pattern.compile("\"([^\"]+)\"");

    /** Between two words: spaces, a line break with the comment's mark, or a capital in a name. */
    private static final String BETWEEN = "(?:[ \\t]|\\r?\\n[ \\t]*(?:/?\\*+|//|#|--)?)+";

    private static final String NEXT_CAPITAL = "(?-i:(?=[A-Z]))";
    private static final String START = "(?-i:(?<![A-Za-z])|(?<=[a-z])(?=[A-Z]))";
    private static final String END = "(?-i:(?![a-z]))";

    @Test
    void texts_containNoBannedTurn() throws IOException {
        Pattern banned = pattern(bannedTurns());
        List<String> found = new ArrayList<>();
        for (Path file : texts()) {
            found.addAll(occurrences(banned, file));
        }

        assertThat(found).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "one two", "One two", " * says one\n     * two", "// one\n    // two",
                "# one\n# two", "-- one\n-- two", "reader_isOneTwo", "a.oneTwo(",
                "three", "readersThree_of"
            })
    void turn_isFoundAcrossLinesAndInNames(String text) {
        assertThat(pattern(List.of("one two", "three")).matcher(text).find()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"none two", "one twofold", "one, two", "onetwo", "threefold", "athree"})
    void otherWords_areNotFound(String text) {
        assertThat(pattern(List.of("one two", "three")).matcher(text).find()).isFalse();
    }

    private static List<String> bannedTurns() throws IOException {
        List<String> turns =
                ROW.matcher(Files.readString(LIST))
                        .results()
                        .flatMap(row -> QUOTED.matcher(row.group(1)).results())
                        .map(quoted -> quoted.group(1))
                        .toList();
        assertThat(turns).as("banned turns in %s", LIST).contains("by the letter", "whoever");
        return turns;
    }

    private static Pattern pattern(List<String> turns) {
        String alternatives =
                turns.stream().map(LanguageTest::pattern).collect(Collectors.joining("|"));
        return Pattern.compile(START + "(?:" + alternatives + ")" + END, Pattern.CASE_INSENSITIVE);
    }

    private static String pattern(String turn) {
        return Arrays.stream(turn.split(" "))
                .map(Pattern::quote)
                .collect(Collectors.joining("(?:" + BETWEEN + "|" + NEXT_CAPITAL + ")"));
    }

    private static List<Path> texts() throws IOException {
        List<Path> texts = new ArrayList<>(DocumentsTest.documents());
        for (String sources : List.of("src", "bench/src", "bench/idiomatic/src", "bench/go")) {
            texts.addAll(TextFiles.below(Path.of(sources), ""));
        }
        texts.removeIf(file -> file.equals(LIST) || file.endsWith("LanguageTest.java"));
        assertThat(texts).contains(Path.of("README.md"), Path.of("CHANGELOG.md"));
        assertThat(texts).anyMatch(file -> file.startsWith("docs/adr"));
        return texts;
    }

    /** Where a banned turn begins: {@code file:line: turn}. */
    private static List<String> occurrences(Pattern banned, Path file) throws IOException {
        // Not UTF-8, in which a binary file would not be readable; the turns are ASCII.
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        List<String> occurrences = new ArrayList<>();
        Matcher matcher = banned.matcher(text);
        while (matcher.find()) {
            if (matcher.group().equals("noBody")) {
                // A method of the JDK's HTTP client.
                continue;
            }
            long line =
                    1 + text.substring(0, matcher.start()).chars().filter(c -> c == '\n').count();
            String turn = matcher.group().replaceAll("\\s+", " ");
            occurrences.add(file + ":" + line + ": " + turn);
        }
        return occurrences;
    }
}
