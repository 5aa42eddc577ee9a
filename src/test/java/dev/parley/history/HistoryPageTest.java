package dev.parley.history;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.broker.Lineage;
import dev.parley.broker.Page;
import dev.parley.broker.TestPages;
import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The ids with which a page leads on to the messages before and after it. */
class HistoryPageTest {

    private static final Room ROOM = new Room("room");

    @Test
    void pageInTheMiddle_leadsOnToBothSides() {
        HistoryPage page = HistoryPage.before(id(22), ROOM, page(20, 21));

        assertThat(page.messages())
                .extracting(stored -> stored.id().toString())
                .containsExactly("e-20", "e-21");
        assertThat(page.before()).isEqualTo("e-20");
        assertThat(page.after()).isEqualTo("e-21");
        assertThat(page.gap()).isFalse();
    }

    @Test
    void pageWithOldestMessage_leadsOnForwardsOnly() {
        assertThat(HistoryPage.before(id(18), ROOM, page(16, 17)).before()).isNull();
    }

    /** The log has the messages 16 to 75. */
    @ParameterizedTest
    @CsvSource({"0, e-0, false", "1, e-0, false", "2, e-1, true", "16, e-15, true"})
    void emptyPageBeforeAPosition_isAGapUnlessTheLogBeginsThere(
            long position, String after, boolean gap) {
        HistoryPage page = HistoryPage.before(id(position), ROOM, page());

        assertThat(page.messages()).isEmpty();
        assertThat(page.before()).isNull();
        assertThat(page.after()).isEqualTo(after);
        assertThat(page.gap()).isEqualTo(gap);
    }

    @Test
    void positionOfAnotherEpoch_isAGap_andLeadsOnAtTheEnd() {
        HistoryPage page = HistoryPage.before(new EventId("other", 20), ROOM, page(18, 19));

        assertThat(page.messages()).isEmpty();
        assertThat(page.after()).isEqualTo("e-75");
        assertThat(page.gap()).isTrue();
    }

    @Test
    void positionAfterTheNewestOfAnEmptyLog_leadsOnAtTheEnd() {
        Page empty = TestPages.page("e", 76, 75, List.of());

        assertThat(HistoryPage.before(id(99), ROOM, empty).after()).isEqualTo("e-75");
    }

    /** The first and the last message of the page have expired. */
    @Test
    void messagesThatHaveExpired_areLeftOut_andThePageLeadsOnAroundThem() {
        List<StoredMessage> messages = List.of(brief(19), page(20).messages().get(0), brief(21));
        var read = new Page(Lineage.of("e"), 16, 75, messages, Instant.EPOCH.plusSeconds(1));

        HistoryPage page = HistoryPage.of(ROOM, read, false);

        assertThat(page.messages()).extracting(StoredMessage::offset).containsExactly(20L);
        assertThat(page.before()).isEqualTo("e-19");
        assertThat(page.after()).isEqualTo("e-21");
    }

    private static StoredMessage brief(long offset) {
        return new StoredMessage(
                id(offset),
                new Message(
                        ROOM,
                        "brief",
                        Optional.empty(),
                        Optional.empty(),
                        Instant.EPOCH,
                        Optional.of(Duration.ofSeconds(1))));
    }

    private static Page page(long... offsets) {
        return TestPages.page(
                "e",
                16,
                75,
                Arrays.stream(offsets)
                        .mapToObj(
                                offset ->
                                        new StoredMessage(
                                                id(offset),
                                                Message.of(ROOM, "text", Instant.EPOCH)))
                        .toList());
    }

    private static EventId id(long offset) {
        return new EventId("e", offset);
    }
}
