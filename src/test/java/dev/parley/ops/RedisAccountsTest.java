package dev.parley.ops;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.TextFiles;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The account of Parley's pods may give every command that Parley's scripts contain. */
final class RedisAccountsTest {

    /** A command, and the subcommand where it has one: those of PUBSUB are rights of their own. */
    private static final Pattern CALL =
            Pattern.compile("redis\\.p?call\\(\\s*'(\\w+)'(?:(?<='PUBSUB'), '(\\w+)')?");

    private static final Pattern ALLOWED = Pattern.compile(" \\+([\\w|]+)");

    @Test
    void scripts_giveOnlyCommandsThatTheAccountMayGive() {
        assertThat(commandsOfScripts()).isNotEmpty().isSubsetOf(found(ALLOWED, account()));
    }

    /** They use the account too during an upgrade. */
    @Test
    void scriptsOfVersion01_giveOnlyCommandsThatTheAccountMayGive() {
        assertThat(commandsOfScripts("src/test/resources/dev/parley/version01"))
                .contains("hincrby")
                .isSubsetOf(found(ALLOWED, account()));
    }

    @Test
    void account_mayGiveNoCommandOnStreamsThatNoScriptGives() {
        assertThat(found(ALLOWED, account()))
                .filteredOn(command -> command.startsWith("x"))
                .isNotEmpty()
                .isSubsetOf(commandsOfScripts());
    }

    private static String account() {
        return TextFiles.read(Manifests.ROOT.resolve("redis/users.acl"))
                .lines()
                .filter(line -> line.startsWith("user default "))
                .findFirst()
                .orElseThrow();
    }

    private static Set<String> commandsOfScripts() {
        return commandsOfScripts("src/main/resources");
    }

    private static Set<String> commandsOfScripts(String directory) {
        return TextFiles.below(Path.of(directory), ".lua").stream()
                .flatMap(file -> found(CALL, TextFiles.read(file)).stream())
                .collect(toSet());
    }

    private static Set<String> found(Pattern pattern, String text) {
        return pattern.matcher(text)
                .results()
                .map(
                        match ->
                                match.groupCount() > 1 && match.group(2) != null
                                        ? match.group(1) + "|" + match.group(2)
                                        : match.group(1))
                .map(command -> command.toLowerCase(Locale.ROOT))
                .collect(toSet());
    }
}
