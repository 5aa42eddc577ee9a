package dev.parley;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PortCheckTest {

    private static void checkPair(int calls, int management) {
        PortCheck.checkPair(
                new PortCheck.Server("quarkus.http", calls),
                new PortCheck.Server("quarkus.management", management));
    }

    @ParameterizedTest
    @CsvSource({"8080, 9000", "0, 0", "-1, 0"})
    void twoPorts_orTwoRandomOnes_areAccepted(int calls, int management) {
        assertThatCode(() -> checkPair(calls, management)).doesNotThrowAnyException();
    }

    @Test
    void onePortForBothServers_isRefused() {
        assertThatThrownBy(() -> checkPair(8080, 8080))
                .hasMessageStartingWith(
                        "quarkus.http.port and quarkus.management.port are both 8080: choose");
    }

    @ParameterizedTest
    @CsvSource({
        "0, 9000, quarkus.http.port is 0, quarkus.management.port is 9000",
        "-5, 9000, quarkus.http.port is -5, quarkus.management.port is 9000",
        "8080, 0, quarkus.management.port is 0, quarkus.http.port is 8080",
    })
    void randomPortBesideAFixedOne_isRefused(
            int calls, int management, String random, String fixed) {
        assertThatThrownBy(() -> checkPair(calls, management))
                .hasMessageContainingAll(random, fixed, "name both ports, or set both to 0");
    }

    @Test
    void numberThatIsNotAPort_isRefused() {
        assertThatThrownBy(
                        () -> PortCheck.checkNumber(new PortCheck.Server("quarkus.http", 70_000)))
                .hasMessage("quarkus.http.port is 70000: a port is a number up to 65535");
    }
}
