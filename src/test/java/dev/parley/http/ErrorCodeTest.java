package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.TextFiles;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** docs/errors.md, {@link ErrorCode} and the codes that the message types use are the same. */
final class ErrorCodeTest {

    private static final Pattern ROW =
            Pattern.compile("^\\| `([a-z-]+)` \\| ([0-9]{3}) \\|", Pattern.MULTILINE);
    private static final Pattern INVALID_REQUEST =
            Pattern.compile("new InvalidRequest\\(\\s*\"([^\"]*)\"\\s*,");

    @Test
    void document_listsEveryCodeWithItsStatus() {
        String document = TextFiles.read("docs/errors.md");

        List<String> documented =
                ROW.matcher(document)
                        .results()
                        .map(row -> row.group(1) + ' ' + row.group(2))
                        .toList();

        assertThat(documented)
                .containsExactlyElementsOf(
                        Arrays.stream(ErrorCode.values())
                                .map(code -> code.code() + ' ' + code.status())
                                .toList());
    }

    @Test
    void codesOfInvalidRequests_exist() {
        Set<String> used =
                TextFiles.below(Path.of("src/main/java"), ".java").stream()
                        .flatMap(file -> INVALID_REQUEST.matcher(TextFiles.read(file)).results())
                        .map(code -> code.group(1))
                        .collect(Collectors.toSet());

        assertThat(used)
                .contains("bad-room")
                .allMatch(code -> ErrorCode.named(code).isPresent(), "is a code in ErrorCode");
    }

    @Test
    void type_identifiesTheCode() {
        assertThat(ErrorCode.BAD_EVENT_ID.code()).isEqualTo("bad-event-id");
        assertThat(ErrorCode.BAD_EVENT_ID.type()).isEqualTo("urn:parley:problem:bad-event-id");
    }
}
