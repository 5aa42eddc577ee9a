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

    /** Bytes that are held already cannot be refused; what follows them can. */
    @Test
    void room_endsWithTheShareOfAnAddress_orTheSum_andNotForAProxy() {
        var peer = new ServerBounds.Peer("a", false, false);
        var proxy = new ServerBounds.Peer("a", true, false);

        budget.take("a", 24);
        assertThat(budget.hasRoom(peer)).isTrue();
        budget.take("a", 60);
        assertThat(budget.hasRoom(peer)).isFalse();
        assertThat(budget.hasRoom(proxy)).isTrue();
        assertThat(budget.hasRoom(new ServerBounds.Peer("b", false, false))).isTrue();

        budget.take("b", 16);
        assertThat(budget.hasRoom(proxy)).isFalse();
        budget.release("a", 84);
        assertThat(budget.hasRoom(peer)).isTrue();
        assertThat(budget.held()).isEqualTo(16);
    }

    @Test
    void addressThatHoldsNothing_hasRoom_thoughItsShareIsNothing() {
        var tiny = new ByteBudget(1);

        assertThat(tiny.hasRoom(new ServerBounds.Peer("a", false, false))).isTrue();
    }
}
