package dev.parley.ops;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The examples of proxy configurations in docs/operations.md. */
final class DocumentedProxies {

    private static final Path DOCUMENT = Path.of("docs", "operations.md");

    private DocumentedProxies() {}

    /** The first block of code below a heading. */
    static String block(String heading) {
        try {
            Matcher block =
                    Pattern.compile(
                                    "^"
                                            + Pattern.quote(heading)
                                            + "$\\n(?:(?!```|#)[^\\n]*\\n)*```\\w*\\n(.*?)^```$",
                                    Pattern.MULTILINE | Pattern.DOTALL)
                            .matcher(Files.readString(DOCUMENT).replace("\r\n", "\n"));
            if (!block.find()) {
                throw new AssertionError("no code below \"" + heading + "\" in " + DOCUMENT);
            }
            return block.group(1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
