package dev.parley;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.ConfigKeys;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** docs/configuration.md and the code name the same settings with the same defaults. */
final class ConfigurationDocumentTest {

    private static final Pattern ROW =
            Pattern.compile("^\\| `(parley\\.[^`]+)` \\| (none|`[^`]*`) \\|", Pattern.MULTILINE);

    @Test
    void document_listsEverySettingWithItsDefault() throws IOException {
        String document = Files.readString(Path.of("docs/configuration.md"));

        List<String> documented = ROW.matcher(document).results().map(this::row).toList();

        assertThat(documented)
                .containsExactlyInAnyOrderElementsOf(
                        ConfigKeys.all().stream().map(this::row).toList());
    }

    private String row(MatchResult row) {
        return row.group(1) + " = " + row.group(2).replace("`", "");
    }

    private String row(ConfigKeys.Key key) {
        return key.name() + " = " + key.defaultValue().orElse("none");
    }
}
