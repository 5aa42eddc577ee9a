package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.testsupport.SseReader.Event;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the oracle of the chaos test lets pass, and what it does not. */
class ChaosOracleTest {

    private final ChaosOracle oracle = new ChaosOracle();
    private int ids;

    @Test
    void messageThatIsMissing_withoutAFault_fails() {
        acknowledge("one", "two");

        assertFails("two", "one");
    }

    @Test
    void messageOfBeforeAFault_thatIsMissing_fails() {
        acknowledge("early");
        long before = System.nanoTime();
        acknowledge("lost");
        oracle.onWentBack(before);
        oracle.onLogLost(List.of("of the log"));
        acknowledge("late");

        assertFails("early", "late");
    }

    @Test
    void messageThatAFaultMayHaveLost_mayBeMissing() {
        acknowledge("early");
        oracle.onAllLost();
        acknowledge("kept", "of the log");
        long before = System.nanoTime();
        acknowledge("lost");
        oracle.onWentBack(before);
        oracle.onLogLost(List.of("of the log"));
        acknowledge("late");

        assertPasses("kept", "late");
        assertPasses("early", "kept", "of the log", "lost", "late");
    }

    @Test
    void messageThatCameTwice_orWasRefused_fails() {
        acknowledge("one");
        oracle.onRefused("never");

        assertFails("one", "one", "one");
        assertFails("never", "one", "never");
    }

    private void acknowledge(String... texts) {
        for (String text : texts) {
            oracle.onAcknowledged(text, nextId(), System.nanoTime());
        }
    }

    private void assertPasses(String... kept) {
        assertThatCode(() -> oracle.check(List.of(), events(kept))).doesNotThrowAnyException();
    }

    /**
     * @param named the text that the failure names
     */
    private void assertFails(String named, String... kept) {
        assertThatThrownBy(() -> oracle.check(List.of(), events(kept)))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining(named);
    }

    private List<Event> events(String... texts) {
        return Stream.of(texts).map(text -> new Event(nextId(), "message", text)).toList();
    }

    /** Without readers, an id need not be the same as in the receipt. */
    private String nextId() {
        return "epoch-" + ++ids;
    }
}
