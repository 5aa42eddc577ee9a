package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.http.FileLimit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A part of the files stays free for other connections than streams. */
final class OpenFilesTest {

    @ParameterizedTest
    @CsvSource({
        "1048576, 200, 1047576",
        "20000, 200, 19000",
        "4000, 200, 3000",
        "1024, 200, 618",
        "256, 200, 42",
        "200, 200, 1",
        "1, 0, 1",
        "9223372036854775807, 200, 2147483647"
    })
    void streams_leaveAThousandFiles_orThoseThatAreOpenAndAQuarterOfTheOthers(
            long files, long open, int streams) {
        assertThat(OpenFiles.streamsWithin(new FileLimit(files, open))).isEqualTo(streams);
    }
}
