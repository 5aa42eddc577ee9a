package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** docs/errors.md, {@link ErrorCode} and the codes that the message types use are the same. */
final class ErrorCodeTest {

    private static final Pattern ROW =
            Pattern.compile("^\\| `([a-z-]+)` \\| ([0-9]{3}) \\|", Pattern.MULTILINE);
    private static final Pattern INVALID_REQUEST =
            Pattern.compile("new InvalidRequest\\(\\s*\"([^\"]*)\"\\s*,");

    @Test
    void document_listsEveryCodeWithItsStatus() throws IOException {
        String document = Files.readString(Path.of("docs/errors.md"));

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
    void codesOfInvalidRequests_exist() throws IOException {
        Set<String> used;
        try (Stream<Path> sources = Files.walk(Path.of("src/main/java"))) {
            used =
                    sources.filter(file -> file.toString().endsWith(".java"))
                            .map(ErrorCodeTest::read)
                            .flatMap(source -> INVALID_REQUEST.matcher(source).results())
                            .map(code -> code.group(1))
                            .collect(Collectors.toSet());
        }

        assertThat(used)
                .contains("bad-room")
                .allMatch(code -> ErrorCode.named(code).isPresent(), "is a code in ErrorCode");
    }

    @Test
    void type_identifiesTheCode() {
        assertThat(ErrorCode.BAD_EVENT_ID.code()).isEqualTo("bad-event-id");
        assertThat(ErrorCode.BAD_EVENT_ID.type()).isEqualTo("urn:parley:problem:bad-event-id");
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
