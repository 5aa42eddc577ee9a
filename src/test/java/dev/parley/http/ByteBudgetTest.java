package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Bytes are bounded in sum, and for one address to a quarter. */
class ByteBudgetTest {

    private final ByteBudget budget = new ByteBudget(100);

    @Test
    void oneAddress_getsAQuarter() {
        assertThat(budget.tryTake("a", 25)).isTrue();
        assertThat(budget.tryTake("a", 1)).isFalse();
        assertThat(budget.tryTake("b", 25)).isTrue();

        budget.release("a", 10);

        assertThat(budget.tryTake("a", 11)).isFalse();
        assertThat(budget.tryTake("a", 10)).isTrue();
        assertThat(budget.held()).isEqualTo(50);
    }

    @Test
    void mostOfAddress_isWhatOneAddressCanTake() {
        assertThat(budget.tryTake("a", budget.mostOfAddress())).isTrue();
        assertThat(budget.tryTake("b", budget.mostOfAddress() + 1)).isFalse();
    }

    @Test
    void allAddresses_getTheSum() {
        for (String address : new String[] {"a", "b", "c", "d"}) {
            assertThat(budget.tryTake(address, 25)).isTrue();
        }
        assertThat(budget.tryTake("e", 1)).isFalse();

        budget.release("d", 25);

        assertThat(budget.tryTake("e", 25)).isTrue();
        assertThat(budget.held()).isEqualTo(100);
    }
}
