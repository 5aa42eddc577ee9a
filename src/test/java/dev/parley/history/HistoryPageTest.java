package dev.parley.history;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.parley.broker.Lineage;
import dev.parley.broker.Page;
import dev.parley.broker.TestPages;
import dev.parley.message.EventId;
import dev.parley.message.EventType;
import dev.parley.message.Message;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The ids with which a page leads on to the messages before and after it. */
class HistoryPageTest {

    private static final Room ROOM = new Room("room");

    @Test
    void pageInTheMiddle_leadsOnToBothSides() {
        HistoryPage page = before(id(22), page(20, 21));

        assertThat(page.messages())
                .extracting(stored -> stored.id().toString())
                .containsExactly("e-20", "e-21");
        assertThat(page.before()).isEqualTo("e-20");
        assertThat(page.after()).isEqualTo("e-21");
        assertThat(page.gap()).isFalse();
    }

    @Test
    void pageWithOldestMessage_leadsOnForwardsOnly() {
        assertThat(before(id(18), page(16, 17)).before()).isNull();
    }

    /** The log has the messages 16 to 75. */
    @ParameterizedTest
    @CsvSource({"0, e-0, false", "1, e-0, false", "2, e-1, true", "16, e-15, true"})
    void emptyPageBeforeAPosition_isAGapUnlessTheLogBeginsThere(
            long position, String after, boolean gap) {
        HistoryPage page = before(id(position), page());

        assertThat(page.messages()).isEmpty();
        assertThat(page.before()).isNull();
        assertThat(page.after()).isEqualTo(after);
        assertThat(page.gap()).isEqualTo(gap);
    }

    @Test
    void positionOfAnotherEpoch_isAGap_andLeadsOnAtTheEnd() {
        HistoryPage page = before(new EventId("other", 20), page(18, 19));

        assertThat(page.messages()).isEmpty();
        assertThat(page.after()).isEqualTo("e-75");
        assertThat(page.gap()).isTrue();
    }

    @Test
    void positionAfterTheNewestOfAnEmptyLog_leadsOnAtTheEnd() {
        Page empty = TestPages.page("e", 76, 75, List.of());

        assertThat(before(id(99), empty).after()).isEqualTo("e-75");
    }

    /** The log has the messages 16 to 75, except 20 to 22. */
    @ParameterizedTest
    @CsvSource({
        "18, false", // the next one is read
        "19, true",
        "21, true",
        "22, false"
    })
    void nextMessages_thatWereDeleted_areAGap(long position, boolean gap) {
        long next = position < 19 ? position + 1 : 23;

        assertThat(HistoryPage.isGapAfter(id(position), page(next, 24))).isEqualTo(gap);
    }

    @ParameterizedTest
    @CsvSource({"74, true", "75, false"})
    void nextMessages_thatWereDeletedAtTheEnd_areAGap(long position, boolean gap) {
        assertThat(HistoryPage.isGapAfter(id(position), page())).isEqualTo(gap);
    }

    @ParameterizedTest
    @CsvSource({"20, false", "21, true", "23, true", "24, false"})
    void messagesBefore_thatWereDeleted_areAGap(long position, boolean gap) {
        Page read = position < 24 ? page(18, 19) : page(19, 23);

        HistoryPage page = before(id(position), read);

        assertThat(page.gap()).isEqualTo(gap);
        assertThat(page.messages()).hasSize(2);
    }

    @Test
    void messagesBeforeAPositionAfterTheNewest_areAGap_ifTheNewestWasDeleted() {
        assertThat(before(id(76), page(74)).gap()).isTrue();
        assertThat(before(id(76), page(74, 75)).gap()).isFalse();
    }

    @Test
    void messagesNextToThePosition_thatHaveExpired_areNotAGap() {
        var read =
                new Page(
                        Lineage.of("e"),
                        16,
                        75,
                        List.of(brief(19), brief(20)),
                        Instant.EPOCH.plusSeconds(1));

        assertThat(HistoryPage.isGapAfter(id(18), read)).isFalse();
        assertThat(before(id(21), read).gap()).isFalse();
        assertThat(before(id(21), read).messages()).isEmpty();
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

    /** The text of a message, its sender and its event type are as long in bytes as they can be. */
    @ParameterizedTest
    @ValueSource(strings = {"\u0001", "\n", "\"", "\\", "x", "\u07ff", "\uffff", "\ud83d\ude00"})
    void length_isNotLessThanThatOfTheJson(String character) throws IOException {
        var room = new Room("r".repeat(Room.MAX_LENGTH));
        String epoch = "e".repeat(32);
        for (int length : List.of(1, 500)) {
            var longest =
                    new Message(
                                    room,
                                    character.repeat(length),
                                    Optional.empty(),
                                    Optional.of(new EventType("\uffff".repeat(64))),
                                    Instant.EPOCH,
                                    Optional.of(Duration.ofDays(1)))
                            .verifiedFrom("\uffff".repeat(Message.MAX_FROM));
            List<StoredMessage> messages =
                    LongStream.range(0, 10)
                            .map(i -> 999_999_999_999_999_990L + i)
                            .mapToObj(i -> new StoredMessage(new EventId(epoch, i), longest))
                            .toList();
            HistoryPage page =
                    HistoryPage.of(
                            room,
                            TestPages.page(epoch, 1, 999_999_999_999_999_999L, messages),
                            false);

            byte[] json = new ObjectMapper().writeValueAsBytes(page);

            assertThat(page.length()).isGreaterThanOrEqualTo(json.length);
        }
    }

    /** A page of ordinary messages is not counted as much longer than it is. */
    @Test
    void length_isCloseToThatOfTheJson_whereTextsAreLong() throws IOException {
        var message =
                new StoredMessage(id(16), Message.of(ROOM, "x".repeat(10_000), Instant.EPOCH));
        HistoryPage page =
                HistoryPage.of(ROOM, TestPages.page("e", 16, 16, List.of(message)), false);

        assertThat(page.length())
                .isLessThan(new ObjectMapper().writeValueAsBytes(page).length + 600);
    }

    private static HistoryPage before(EventId position, Page read) {
        return HistoryPage.before(position, ROOM, read, HistoryPage.isGapBefore(position, read));
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
