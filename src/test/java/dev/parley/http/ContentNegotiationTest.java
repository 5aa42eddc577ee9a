package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;

/** The elements of a list header, as the framework gets them. */
final class ContentNegotiationTest {

    private static List<String> elements(String... lines) {
        return ContentNegotiation.elements(List.of(lines));
    }

    @Test
    void emptyElements_areLeftOut() {
        assertThat(elements("")).isEmpty();
        assertThat(elements(" , ,", "")).isEmpty();
        assertThat(elements(", a/b ,\t, */*;q=0.1 ,", "c/d"))
                .containsExactly("a/b", "*/*;q=0.1", "c/d");
    }

    @Test
    void quotedString_hasNoSeparator() {
        assertThat(elements("a/b;x=\"1,2\";q=0.5, c/d"))
                .containsExactly("a/b;x=\"1 2\";q=0.5", "c/d");
        assertThat(elements("a/b;x=\"1\\\",2\\\\\",c/d")).containsExactly("a/b;x=\"1  2 \"", "c/d");
    }

    @Test
    void quotedStringWithoutAnEnd_isNotAccepted() {
        assertThatIllegalArgumentException().isThrownBy(() -> elements("a/b;x=\"1, c/d"));
        assertThatIllegalArgumentException().isThrownBy(() -> elements("a/b;x=\"\\", "\""));
    }
}
