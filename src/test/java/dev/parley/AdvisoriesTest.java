package dev.parley;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * No library on the class path has a vulnerability that
 * src/test/resources/dev/parley/advisories.txt lists.
 */
class AdvisoriesTest {

    record Advisory(String group, String artifact, String fixed, String name) {

        static Advisory parse(String line) {
            String[] words = line.split("\\s+", -1);
            String[] library = words[0].split(":", -1);
            return new Advisory(library[0], library[1], words[1], words[2]);
        }

        boolean concerns(String version) {
            return Arrays.compare(numbers(version), numbers(fixed)) < 0;
        }
    }

    /** The numbers of a version, as of 4.1.132.Final. */
    private static int[] numbers(String version) {
        return Pattern.compile("[0-9]+")
                .matcher(version)
                .results()
                .mapToInt(number -> Integer.parseInt(number.group()))
                .toArray();
    }

    @ParameterizedTest
    @MethodSource("advisories")
    void library_isNotOlderThanTheVersionThatFixesIt(Advisory advisory) throws IOException {
        assertThat(advisory.concerns(version(advisory)))
                .as("%s: version %s is vulnerable", advisory, version(advisory))
                .isFalse();
    }

    @ParameterizedTest
    @CsvSource({"4.1.130.Final, true", "4.1.132.Final, false", "4.1.1000.Final, false"})
    void olderVersion_isVulnerable(String version, boolean vulnerable) {
        var advisory = Advisory.parse("io.netty:netty-codec-http2  4.1.132.Final  CVE-2026-33871");

        assertThat(advisory.concerns(version)).isEqualTo(vulnerable);
    }

    @Test
    void file_listsAdvisories() throws IOException {
        assertThat(advisories()).isNotEmpty();
    }

    private static List<Advisory> advisories() throws IOException {
        return Files.readAllLines(Path.of("src/test/resources/dev/parley/advisories.txt")).stream()
                .filter(line -> !line.isBlank() && !line.startsWith("#"))
                .map(Advisory::parse)
                .toList();
    }

    /** The version that Maven wrote into the library's jar. */
    private static String version(Advisory advisory) throws IOException {
        String file =
                "META-INF/maven/%s/%s/pom.properties"
                        .formatted(advisory.group(), advisory.artifact());
        try (InputStream in = AdvisoriesTest.class.getClassLoader().getResourceAsStream(file)) {
            assertThat(in)
                    .as("%s; remove the line of a library that is not used", file)
                    .isNotNull();
            var properties = new Properties();
            properties.load(in);
            return properties.getProperty("version");
        }
    }
}
