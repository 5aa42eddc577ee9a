package dev.parley.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.smallrye.config.SmallRyeConfigBuilder;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BoundedDurationTest {

    /** As the program reads it: the converter is found as a service, before the framework's. */
    private static Duration read(String value) {
        return new SmallRyeConfigBuilder()
                .addDiscoveredConverters()
                .withDefaultValue("parley.history.age", value)
                .build()
                .getValue("parley.history.age", Duration.class);
    }

    @ParameterizedTest
    @CsvSource({"500MS, 500", "15S, 15000", "0.1S, 100", "5M, 300000", "24h, 86400000"})
    void duration_isRead(String value, long millis) {
        assertThat(read(value)).hasMillis(millis);
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "5 monkeys", "999999999999999999H", "9999999999999999999999S"})
    void otherText_isRefused_withTheSetting(String value) {
        assertThatThrownBy(() -> read(value))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("parley.history.age", "a duration is written 500MS");
    }
}
