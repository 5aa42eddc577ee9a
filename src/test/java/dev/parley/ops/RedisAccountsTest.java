package dev.parley.ops;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The account of Parley's pods may give every command that Parley's scripts contain. */
final class RedisAccountsTest {

    private static final Pattern CALL = Pattern.compile("redis\\.p?call\\(\\s*['\"](\\w+)['\"]");
    private static final Pattern ALLOWED = Pattern.compile(" \\+([\\w|]+)");

    @Test
    void scripts_giveOnlyCommandsThatTheAccountMayGive() throws IOException {
        String account =
                Files.readAllLines(Manifests.ROOT.resolve("redis/users.acl")).stream()
                        .filter(line -> line.startsWith("user default "))
                        .findFirst()
                        .orElseThrow();

        assertThat(commandsOfScripts()).isNotEmpty().isSubsetOf(found(ALLOWED, account));
    }

    private static Set<String> commandsOfScripts() throws IOException {
        try (Stream<Path> files = Files.walk(Path.of("src/main/resources"))) {
            return files.filter(file -> file.toString().endsWith(".lua"))
                    .flatMap(file -> found(CALL, read(file)).stream())
                    .collect(toSet());
        }
    }

    private static Set<String> found(Pattern pattern, String text) {
        return pattern.matcher(text)
                .results()
                .map(match -> match.group(1).toLowerCase(Locale.ROOT))
                .collect(toSet());
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
