package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AllowedOriginsTest {

    private static final String OWN = "https://chat.example.com";

    @ParameterizedTest
    @ValueSource(strings = {"*", " * "})
    void asterisk_isAnyPage(String asterisk) {
        assertThat(origins(asterisk).areAll()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/.*/", "/.+/", "/https://.*/", "/http:.*/", "/https?://[^/]+/"})
    void regularExpressionThatTakesEveryOrigin_isAnyPage(String expression) {
        assertThat(origins(expression).areAll()).isTrue();
        assertThat(origins(OWN, expression).areAll()).isTrue();
    }

    @Test
    void asteriskAmongOthers_wasMeantForAnyPage_andHasNoEffect() {
        assertThat(origins("*", OWN).areAll()).isTrue();
        assertThat(origins("*", OWN).haveAsteriskAmongOthers()).isTrue();
        assertThat(origins("*").haveAsteriskAmongOthers()).isFalse();
        assertThat(origins(OWN).haveAsteriskAmongOthers()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                OWN,
                "HTTPS://CHAT.example.com",
                " https://chat.example.com",
                "/https://.*\\.example\\.com/"
            })
    void originsOfOnesOwn(String origins) {
        assertThat(origins(origins).areAll()).isFalse();
        assertThat(origins(origins).contain(OWN)).isTrue();
        assertThat(origins(origins).contain("https://chat.example.org")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/", "/(/", "chat.example.com"})
    void settingThatTakesNoPage(String origins) {
        assertThat(origins(origins).areAll()).isFalse();
        assertThat(origins(origins).contain(OWN)).isFalse();
    }

    @Test
    void withoutASetting_noPageOfAnotherOriginIsAllowed() {
        var none = new AllowedOrigins(Optional.empty());

        assertThat(none.areAll()).isFalse();
        assertThat(none.contain(OWN)).isFalse();
    }

    private static AllowedOrigins origins(String... elements) {
        return new AllowedOrigins(Optional.of(List.of(elements)));
    }
}
