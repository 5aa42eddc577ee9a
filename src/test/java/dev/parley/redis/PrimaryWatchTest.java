package dev.parley.redis;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** When a pod leaves a primary because of what the Sentinels name. */
class PrimaryWatchTest {

    private static final RedisLink.Server PRESENT = new RedisLink.Server("present", "7.0.0");
    private static final RedisLink.Server NEW = new RedisLink.Server("new", "7.0.0");
    private static final RedisLink.Server NEWER = new RedisLink.Server("newer", "7.0.0");
    private static final RedisLink.Server UNKNOWN = new RedisLink.Server("", "");

    private final PrimaryWatch.Comparison comparison = new PrimaryWatch.Comparison();

    @Test
    void presentServer_isKnownAtItsAddress_andAtNoOther() {
        assertThat(comparison.isWrong("a:1", PRESENT, PRESENT)).isFalse();

        assertThat(comparison.isKnown("a:1", PRESENT)).isTrue();
        assertThat(comparison.isKnown("b:1", PRESENT)).isFalse();
        assertThat(comparison.isKnown("a:1", NEW)).isFalse();
        assertThat(comparison.isInDoubt()).isFalse();
    }

    @Test
    void anotherServer_thatIsFoundTwice_isWorthLeavingFor() {
        assertThat(comparison.isWrong("b:1", PRESENT, NEW)).isFalse();
        assertThat(comparison.isInDoubt()).isTrue();
        assertThat(comparison.isKnown("b:1", PRESENT)).isFalse();

        assertThat(comparison.isWrong("b:1", PRESENT, NEW)).isTrue();
        assertThat(comparison.isInDoubt()).isFalse();
    }

    @Test
    void anotherServer_thatIsNotFoundAgain_isNot() {
        comparison.isWrong("b:1", PRESENT, NEW);
        assertThat(comparison.isWrong("c:1", PRESENT, NEWER)).isFalse();
        assertThat(comparison.isWrong("a:1", PRESENT, PRESENT)).isFalse();
        assertThat(comparison.isWrong("b:1", PRESENT, NEW)).isFalse();
        comparison.forgetDoubt();
        assertThat(comparison.isWrong("b:1", PRESENT, NEW)).isFalse();
    }

    /** The account may not ask which server it is. */
    @Test
    void serverThatMayBeThePresentOne_isNot() {
        assertThat(comparison.isWrong("b:1", PRESENT, UNKNOWN)).isFalse();
        assertThat(comparison.isWrong("b:1", PRESENT, UNKNOWN)).isFalse();
        assertThat(comparison.isWrong("b:1", UNKNOWN, NEW)).isFalse();
        assertThat(comparison.isWrong("b:1", UNKNOWN, NEW)).isFalse();
    }
}
