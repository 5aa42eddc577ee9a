package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.TextFiles;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The table of log lines in docs/operations.md has the lines of the program, and all of them. */
final class DocumentedLogTest {

    /** A row of the table; its first cell has lines in code font. */
    private static final Pattern ROW = Pattern.compile("(?m)^\\| (`[^|]+) \\| [^|]+ \\|$");

    private static final Pattern QUOTED = Pattern.compile("`([^`]+)`");

    /** What differs from line to line: an ellipsis, or a word in capitals. */
    private static final Pattern VARIABLE = Pattern.compile("[:.]? *(?:…|\\b[A-Z]+\\b)[:.]? *");

    /** What the log calls the server, which is a variable of the line. */
    private static final Pattern SERVER = Pattern.compile("^Redis (?!server)");

    /** Shorter pieces of a line would be found in other ones too. */
    private static final int SHORTEST = 7;

    /** Between two parts of a text. */
    private static final Pattern JOINED = Pattern.compile("\"\\s*\\+\\s*\"");

    /** A line that an operator sees by default, with a text and perhaps an exception before it. */
    private static final Pattern LINE =
            Pattern.compile("LOG\\.(?:info|warn|error)f?\\(\\s*(?:\\w+,\\s*)?\"([^\"]+)\"");

    private static final String SOURCES =
            TextFiles.below(Path.of("src/main/java"), ".java").stream()
                    .map(source -> JOINED.matcher(TextFiles.read(source)).replaceAll(""))
                    .collect(Collectors.joining());

    @Test
    void documentedLines_areInTheProgram() {
        List<String> pieces = documentedPieces();

        assertThat(pieces).hasSizeGreaterThan(40);
        assertThat(pieces).filteredOn(piece -> !SOURCES.contains(piece)).isEmpty();
    }

    @Test
    void linesOfTheProgram_areDocumented() {
        List<String> pieces = documentedPieces();

        List<String> lines =
                LINE.matcher(SOURCES)
                        .results()
                        .map(line -> line.group(1))
                        // Two variables, which the classes that call have the text for.
                        .filter(line -> !line.equals("%s: %s"))
                        .toList();
        assertThat(lines).hasSizeGreaterThan(25);
        assertThat(lines).filteredOn(line -> pieces.stream().noneMatch(line::contains)).isEmpty();
    }

    /** The fixed parts of the lines in the document. */
    private static List<String> documentedPieces() {
        String document = TextFiles.read("docs/operations.md");
        int begin = document.indexOf("\n## Logs and traces\n");
        String table = document.substring(begin, document.indexOf("\n## ", begin + 1));
        return ROW.matcher(table)
                .results()
                .flatMap(row -> QUOTED.matcher(row.group(1)).results())
                .map(line -> SERVER.matcher(line.group(1)).replaceFirst(""))
                .flatMap(line -> Arrays.stream(VARIABLE.split(line)))
                .map(String::strip)
                .filter(piece -> piece.length() >= SHORTEST)
                .toList();
    }
}
