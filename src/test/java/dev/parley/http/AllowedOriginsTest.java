package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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

    /** Browsers send lower case, and the framework's filter compares letter by letter. */
    @Test
    void originInUpperCase_isNotListed() {
        assertThat(origins(OWN).contain("HTTPS://CHAT.example.com")).isFalse();
        assertThat(origins("/https://CHAT\\.example\\.com/").contain(OWN)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/", "/(/", "chat.example.com"})
    void settingThatTakesNoPage(String origins) {
        assertThat(origins(origins).areAll()).isFalse();
        assertThat(origins(origins).contain(OWN)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://chat.example.com/",
                "https://chat.example.com/app",
                "https://chat.example.com:443",
                "http://chat.example.com:80",
                "https://*.example.com",
                "chat.example.com",
                "//chat.example.com",
                "https://",
                "https://chat.example.com?",
                "https://user@chat.example.com",
                "https://bücher.example",
                "https://one.example https://two.example"
            })
    void originThatNoBrowserSends_isFound(String origin) {
        assertThat(origins(OWN, origin).neverSent()).containsExactly(origin);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "*",
                "null",
                "NULL",
                OWN,
                "HTTP://Localhost:8080",
                "http://chat.example.com:443",
                "https://[fd00::1]:8443",
                "https://xn--bcher-kva.example",
                "chrome-extension://abcdefghijklmnop",
                "file://",
                "/https://.*/",
                ""
            })
    void originThatBrowsersSend_isNotFoundAmongTheOthers(String origin) {
        assertThat(origins(origin).neverSent()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "/(/, /(/ is not a regular expression: Unclosed group at index 2",
        "' /[a-/ ', /[a-/ is not a regular expression: Illegal character range at index 4",
        "/, a regular expression is written between two slashes"
    })
    void expressionThatCannotBeRead_isDescribed(String element, String problem) {
        assertThat(AllowedOrigins.problem(element)).contains(problem);
    }

    @ParameterizedTest
    @ValueSource(strings = {"*", "", OWN, "https://app.example/", "//", "/https://.*/", "("})
    void whatTheFrameworkReads_isNoProblem(String element) {
        assertThat(AllowedOrigins.problem(element)).isEmpty();
    }

    /** The framework adds the origin of its Dev UI in dev mode. */
    @Test
    void devMode_letsAnyPageIn() throws IOException {
        var settings = new Properties();
        try (InputStream in = getClass().getResourceAsStream("/application.properties")) {
            settings.load(in);
        }
        String configured = settings.getProperty("%dev.quarkus.http.cors.origins");

        AllowedOrigins inDevMode = origins(configured, "http://localhost:9000");

        assertThat(inDevMode.contain("https://elsewhere.example")).isTrue();
        assertThat(inDevMode.haveAsteriskAmongOthers()).isFalse();
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
