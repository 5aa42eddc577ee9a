package dev.parley.broker;

import static dev.parley.broker.BlockingBroker.offsets;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.message.StoredMessage;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The pages in which a log is read. */
interface PageContract extends BrokerUnderTest {

    @Test
    default void after_walksToTheEnd_pageByPage() {
        BlockingBroker broker = open();
        broker.sayNumbers(25);

        List<Page> pages = walk(broker, 10);

        assertThat(pages).extracting(page -> page.messages().size()).containsExactly(10, 10, 5);
        assertThat(walked(pages)).containsExactlyElementsOf(offsets(1, 25));
    }

    @Test
    default void before_walksToTheBeginning_pageByPage() {
        BlockingBroker broker = open();
        broker.sayNumbers(25);

        List<Long> walked = new ArrayList<>();
        Page page = broker.read(Range.newest(10));
        while (!page.messages().isEmpty()) {
            assertThat(page.messages()).hasSizeLessThanOrEqualTo(10);
            walked.addAll(0, offsets(page));
            page = broker.read(new Range.Before(walked.get(0), 10));
        }

        assertThat(walked).containsExactlyElementsOf(offsets(1, 25));
    }

    @Test
    default void page_hasTheMessagesNextToThePosition_inAscendingOrder() {
        BlockingBroker broker = open();
        broker.sayNumbers(9);

        assertThat(offsets(broker.readAfter(3, 2))).containsExactly(4L, 5L);
        assertThat(offsets(broker.read(new Range.Before(7, 2)))).containsExactly(5L, 6L);
        assertThat(offsets(broker.read(Range.newest(1)))).containsExactly(9L);
        assertThat(offsets(broker.read(new Range.Before(1, 5)))).isEmpty();
        assertThat(offsets(broker.readAfter(9, 5))).isEmpty();
        assertThat(offsets(broker.readAfter(999_999_999_999_999_999L, 5))).isEmpty();
    }

    @Test
    default void longTexts_areReadInShortPages_thatWalkOn() {
        BlockingBroker broker = open();
        String text = "x".repeat(60_000);
        for (int i = 0; i < 40; i++) {
            broker.say(i + text);
        }

        List<Page> pages = walk(broker, 500);

        assertThat(pages).allMatch(page -> page.messages().size() < 10);
        assertThat(walked(pages)).containsExactlyElementsOf(offsets(1, 40));
    }

    @Test
    default void veryLongTexts_areReadTwoAtATime() {
        BlockingBroker broker = open();
        for (int i = 0; i < 5; i++) {
            broker.say(i + "x".repeat(300_000));
        }

        assertThat(offsets(broker.readAfter(2, 500))).containsExactly(3L, 4L);
        assertThat(offsets(broker.read(Range.newest(500)))).containsExactly(4L, 5L);
    }

    /** All pages, from the oldest message on. */
    private static List<Page> walk(BlockingBroker broker, int limit) {
        List<Page> pages = new ArrayList<>();
        Page page = broker.readAfter(0, limit);
        while (!page.messages().isEmpty()) {
            pages.add(page);
            List<StoredMessage> messages = page.messages();
            page = broker.readAfter(messages.get(messages.size() - 1).offset(), limit);
        }
        return pages;
    }

    private static List<Long> walked(List<Page> pages) {
        return pages.stream().flatMap(page -> offsets(page).stream()).toList();
    }
}
