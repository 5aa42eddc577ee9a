package dev.parley.history;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.log.ScriptedBroker;
import dev.parley.testsupport.Timeouts;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How far a request for history reads in a log whose messages 2 to 4,999 have expired. */
class HistoryReaderTest {

    private final ScriptedBroker broker = new ScriptedBroker();
    private final HistoryReader reader =
            new HistoryReader(range -> broker.read(ScriptedBroker.ROOM, range));

    @BeforeEach
    void storeMessages() {
        broker.store();
        for (int i = 2; i < 5_000; i++) {
            broker.storeBrief();
        }
        broker.store();
        broker.expireBriefMessages();
    }

    @Test
    void request_readsFewPagesOfExpiredMessages() {
        read(new Range.Before(5_000, 1));
        assertThat(broker.reads()).isEqualTo(1 + HistoryReader.MAX_FURTHER_READS);

        read(new Range.After(1, 1));
        assertThat(broker.reads()).isEqualTo(2 * (1 + HistoryReader.MAX_FURTHER_READS));
    }

    @Test
    void clientThatReadsBackwards_reachesTheOldestMessage() {
        List<HistoryPage> pages = new ArrayList<>();
        pages.add(page(Range.newest(1)));
        for (String before = "epoch0-5000"; before != null; before = last(pages).before()) {
            long offset = Long.parseLong(before.substring("epoch0-".length()));
            pages.add(page(new Range.Before(offset, 100)));
        }

        assertThat(pages).hasSizeBetween(4, 6);
        assertThat(pages.get(1).messages()).isEmpty();
        assertThat(offsets(pages)).containsExactly(5_000L, 1L);
    }

    @Test
    void clientThatReadsForwards_reachesTheNewestMessage() {
        List<HistoryPage> pages = new ArrayList<>();
        for (String after = "epoch0-0"; !after.equals("epoch0-5000"); after = last(pages).after()) {
            long offset = Long.parseLong(after.substring("epoch0-".length()));
            pages.add(page(new Range.After(offset, 100)));
        }

        assertThat(pages).hasSizeBetween(4, 6);
        assertThat(pages.get(1).messages()).isEmpty();
        assertThat(offsets(pages)).containsExactly(1L, 5_000L);
    }

    private static HistoryPage last(List<HistoryPage> pages) {
        return pages.get(pages.size() - 1);
    }

    private static List<Long> offsets(List<HistoryPage> pages) {
        return pages.stream()
                .flatMap(page -> page.messages().stream())
                .map(message -> message.offset())
                .toList();
    }

    private HistoryPage page(Range range) {
        return HistoryPage.of(ScriptedBroker.ROOM, read(range), false);
    }

    private Page read(Range range) {
        return reader.read(range).await().atMost(Timeouts.LIMIT).page();
    }
}
