package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.util.List;
import java.util.Map;
import org.eclipse.microprofile.config.Config;
import org.junit.jupiter.api.Test;

class AllowedOriginsCheckTest {

    private static final String SETTING = "quarkus.http.cors.origins";

    @Test
    void listedOrigins_areReadInLowerCase_andExpressionsAsTheyAre() {
        Config config =
                configOf(
                        Map.of(
                                SETTING,
                                "https://Chat.example, NULL,/https://[A-Z]{1\\,3}\\\\.Example/,*"));

        assertThat(config.getValues(SETTING, String.class))
                .extracting(String::strip)
                .containsExactly(
                        "https://chat.example", "null", "/https://[A-Z]{1,3}\\.Example/", "*");
    }

    @Test
    void elementsWithAnIndex_areReadTheSame() {
        Config config =
                configOf(
                        Map.of(
                                SETTING + "[0]", "https://Chat.example",
                                SETTING + "[1]", "/https://[A-Z]{1,3}\\.Example/"));

        assertThat(config.getValues(SETTING, String.class))
                .isEqualTo(List.of("https://chat.example", "/https://[A-Z]{1,3}\\.Example/"));
    }

    @Test
    void otherSettings_areReadAsTheyAre() {
        assertThat(configOf(Map.of("quarkus.http.cors.methods", "GET")))
                .extracting(config -> config.getValue("quarkus.http.cors.methods", String.class))
                .isEqualTo("GET");
    }

    private static Config configOf(Map<String, String> settings) {
        return new SmallRyeConfigBuilder()
                .withSources(new PropertiesConfigSource(settings, "test", 100))
                .withInterceptors(new AllowedOriginsCheck())
                .build();
    }
}
