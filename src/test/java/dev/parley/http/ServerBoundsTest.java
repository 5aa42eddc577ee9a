package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.Vertx;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sizes with which every publish would be refused. */
class ServerBoundsTest {

    private static final Vertx vertx = Vertx.vertx();

    @AfterAll
    static void close() {
        vertx.close();
    }

    @ParameterizedTest
    @CsvSource({"parley.limits.pending-bytes, 32772", "parley.limits.body-bytes, 404"})
    void sizeWithoutRoomForOnePublish_isRefused(String setting, int least) {
        assertThatThrownBy(() -> TestBounds.of(vertx, Map.of(setting, "" + (least - 1))))
                .hasMessageStartingWith(setting + " is too small: ")
                .hasMessageEndingWith("at least " + least + " bytes are needed");
        assertThatCode(() -> TestBounds.of(vertx, Map.of(setting, "" + least)))
                .doesNotThrowAnyException();
    }
}
