package dev.parley.access;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which cookie of a request counts. */
final class CredentialTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "__Host-parley=T",
                "a=b; __Host-parley=T",
                "a=b;__Host-parley=T;c=d",
                "a=b; \t __Host-parley=T ; c=d",
                "a; =b; ; __Host-parley=T",
                "a=\"b; __Host-parley=T",
                "__Host-parley=\"T\"",
                "__Host-parley=T; __Host-parley=E",
                "__host-parley=E; __HOST-PARLEY=E; __Host-parley=T",
                ",__Host-parley=E; __Host-parley=T",
                ", __Host-parley=E; __Host-parley=T",
                "\u000B__Host-parley=E; \f__Host-parley=E; \r__Host-parley=E; __Host-parley=T",
                "\u00A0__Host-parley=E; \u2003__Host-parley=E; __Host-parley=T",
                "a=__Host-parley=E; x__Host-parley=E; __Host-parley2=E; __Host-parley=T",
                "__Host-parley; __Host-parley =E; __Host-parley=T"
            })
    void firstCookieOfExactlyTheName_counts(String header) {
        assertThat(Credential.inCookie(List.of(header))).contains("T");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", ";", "a=b", ",__Host-parley=E", "__Host-parley", "$__Host-parley=E"})
    void otherCookies_doNotCount(String header) {
        assertThat(Credential.inCookie(List.of(header))).isEmpty();
    }

    @Test
    void value_isTakenAsItIs() {
        assertThat(Credential.inCookie(List.of("__Host-parley="))).contains("");
        assertThat(Credential.inCookie(List.of("__Host-parley=\""))).contains("\"");
        assertThat(Credential.inCookie(List.of("__Host-parley=a=,b"))).contains("a=,b");
    }

    @Test
    void cookie_isFoundInEachHeader_andTheFirstCounts() {
        assertThat(Credential.inCookie(List.of())).isEmpty();
        assertThat(Credential.inCookie(List.of("a=b", "__Host-parley=T", "__Host-parley=E")))
                .contains("T");
    }
}
