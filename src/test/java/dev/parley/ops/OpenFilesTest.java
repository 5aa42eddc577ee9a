package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A part of the files stays free for other connections than streams. */
final class OpenFilesTest {

    @ParameterizedTest
    @CsvSource({
        "1048576, 1047576",
        "20000, 19000",
        "4000, 3000",
        "1024, 768",
        "4, 3",
        "1, 1",
        "9223372036854775807, 2147483647"
    })
    void streams_leaveAThousandFilesOrAQuarter(long files, int streams) {
        assertThat(OpenFiles.streamsWithin(files)).isEqualTo(streams);
    }
}
