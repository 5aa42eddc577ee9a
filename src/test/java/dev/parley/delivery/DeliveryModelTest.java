package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.delivery.DeliverySimulation.Event;
import dev.parley.delivery.DeliverySimulation.Kind;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/**
 * Checks delivery against a plain list, the broker's log: after any series of events, each reader
 * has received the list's messages in order, each once; or it has received a gap, and then all that
 * is retained.
 */
class DeliveryModelTest {

    @Property
    void withoutLoss_everyReaderReceivesEverything_inOrder_once(
            @ForAll("withoutLoss") List<Event> events) {
        var simulation = new DeliverySimulation();

        events.forEach(simulation::apply);
        simulation.settle();

        assertThat(simulation.readers())
                .allSatisfy(DeliverySimulation.Reader::assertUpToDate)
                .allSatisfy(reader -> assertThat(reader.gaps()).isZero());
        assertThat(simulation.endedEpochs()).isEmpty();
    }

    @Property
    void withLoss_everyReaderReceivesAGap_andThenAllThatIsRetained(
            @ForAll("withLoss") List<Event> events) {
        var simulation = new DeliverySimulation();

        events.forEach(simulation::apply);
        simulation.settle();

        assertThat(simulation.readers()).allSatisfy(DeliverySimulation.Reader::assertUpToDate);
    }

    @Provide
    Arbitrary<List<Event>> withoutLoss() {
        return events(
                EnumSet.complementOf(
                        EnumSet.of(Kind.TRIM, Kind.TRIM_FEW, Kind.LOSE_NEWEST, Kind.LOSE_ALL)));
    }

    @Provide
    Arbitrary<List<Event>> withLoss() {
        return events(EnumSet.allOf(Kind.class));
    }

    private static Arbitrary<List<Event>> events(Set<Kind> kinds) {
        Arbitrary<Integer> numbers = Arbitraries.integers().between(0, 20);
        return Combinators.combine(Arbitraries.of(kinds), numbers)
                .as(Event::new)
                .list()
                .ofMinSize(20)
                .ofMaxSize(300);
    }
}
