package dev.parley.testsupport;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The examples of WHATWG HTML §9.2.6, and the corners of its grammar. */
class EventStreamParserTest {

    private final Recorder seen = new Recorder();

    private static final class Recorder implements EventStreamParser.Sink {
        final List<String> events = new ArrayList<>();
        final List<String> comments = new ArrayList<>();
        final List<Long> retries = new ArrayList<>();
        final List<String> ids = new ArrayList<>();

        @Override
        public void event(String id, String type, String data) {
            events.add(id + "|" + type + "|" + data);
        }

        @Override
        public void comment(String text) {
            comments.add(text);
        }

        @Override
        public void retry(long millis) {
            retries.add(millis);
        }

        @Override
        public void lastEventId(String id) {
            ids.add(id);
        }
    }

    private void parse(String stream) {
        parse(stream.getBytes(StandardCharsets.UTF_8));
    }

    private void parse(byte[] stream) {
        new EventStreamParser("", seen).feed(stream);
    }

    @Test
    void severalDataLines_joinWithLineFeeds() {
        parse("data: YHOO\ndata: +2\ndata: 10\n\n");

        assertThat(seen.events).containsExactly("|message|YHOO\n+2\n10");
    }

    @Test
    void fourBlocks_commentIdResetAndUnfinishedOne() {
        parse(
                ": test stream\n\ndata: first event\nid: 1\n\n"
                        + "data:second event\nid\n\ndata:  third event");

        assertThat(seen.comments).containsExactly("test stream");
        assertThat(seen.events).containsExactly("1|message|first event", "|message|second event");
    }

    @Test
    void thirdBlock_whenEnded_keepsItsSecondSpace() {
        parse("data:  third event\n\n");

        assertThat(seen.events).containsExactly("|message| third event");
    }

    @Test
    void dataWithoutValue_dispatchesEmptyLines() {
        parse("data\n\ndata\ndata\n\ndata:");

        assertThat(seen.events).containsExactly("|message|", "|message|\n");
    }

    @Test
    void spaceAfterColon_isOptional() {
        parse("data:test\n\ndata: test\n\n");

        assertThat(seen.events).containsExactly("|message|test", "|message|test");
    }

    @Test
    void namedEvents_haveTheirTypeOnce() {
        parse("event: add\ndata: 73857293\n\nevent:\ndata: 1\n\nevent: gone\n\ndata: 2\n\n");

        assertThat(seen.events).containsExactly("|add|73857293", "|message|1", "|message|2");
    }

    @Test
    void blockWithoutData_keepsItsId() {
        parse("id: k3f9-42\n\ndata: next\n\n");

        assertThat(seen.ids).containsExactly("k3f9-42", "k3f9-42");
        assertThat(seen.events).containsExactly("k3f9-42|message|next");
    }

    @Test
    void idOfUnfinishedBlock_isNotTaken() {
        parse("id: 1\n\nid: 2\n");

        assertThat(seen.ids).containsExactly("1");
    }

    @Test
    void idWithNul_isIgnored() {
        parse("id: 1\nid: 2\0\ndata: x\n\n");

        assertThat(seen.events).containsExactly("1|message|x");
    }

    @Test
    void newConnection_keepsTheIdOfEarlierOnes() {
        new EventStreamParser("7", seen).feed("data: x\n\n".getBytes(StandardCharsets.UTF_8));

        assertThat(seen.events).containsExactly("7|message|x");
    }

    @Test
    void retry_takesDigitsOnly() {
        parse("retry: 2500\nretry: -1\nretry: 1.5\nretry:\nretry: 1 \nretry:  1\nretry: ٣\n");

        assertThat(seen.retries).containsExactly(2500L);
    }

    @Test
    void retryBeyondLong_isTheLongestTime() {
        parse("retry: 99999999999999999999\n");

        assertThat(seen.retries).containsExactly(Long.MAX_VALUE);
    }

    @Test
    void unknownAndMiscasedFields_areIgnored() {
        parse("Data: no\n data: no\nfoo: no\ndata : no\ndata: yes\n\n");

        assertThat(seen.events).containsExactly("|message|yes");
    }

    @Test
    void valueWithColons_isWhole() {
        parse("data: a:b: c\n\n");

        assertThat(seen.events).containsExactly("|message|a:b: c");
    }

    @Test
    void comments_mayBeEmpty() {
        parse(":\n:x\n:  y\n");

        assertThat(seen.comments).containsExactly("", "x", " y");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\n", "\r", "\r\n"})
    void anyLineEnd_endsLines(String end) {
        parse("data: a\ndata: b\n\ndata: c\n\n".replace("\n", end));

        assertThat(seen.events).containsExactly("|message|a\nb", "|message|c");
    }

    @Test
    void mixedLineEnds_endOneLineEach() {
        parse("data: a\r\rdata: b\n\r\ndata: c\r\n\ndata: d\r\n\r");

        assertThat(seen.events)
                .containsExactly("|message|a", "|message|b", "|message|c", "|message|d");
    }

    @Test
    void oneByteOrderMark_isDropped() {
        parse("\uFEFFdata: a\n\n\uFEFFdata: b\n\n");

        assertThat(seen.events).containsExactly("|message|a");
    }

    @Test
    void secondByteOrderMark_belongsToTheLine() {
        parse("\uFEFF\uFEFFdata: a\ndata: b\n\n");

        assertThat(seen.events).containsExactly("|message|b");
    }

    @Test
    void malformedUtf8_becomesReplacementCharacters() {
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        stream.writeBytes("data: a".getBytes(StandardCharsets.UTF_8));
        stream.write(0xFF);
        stream.writeBytes("b".getBytes(StandardCharsets.UTF_8));
        stream.write(0xE2);
        stream.writeBytes("\n\n".getBytes(StandardCharsets.UTF_8));

        parse(stream.toByteArray());

        assertThat(seen.events).containsExactly("|message|a\uFFFDb\uFFFD");
    }

    @Test
    void anyCutOfTheBytes_givesTheSame() {
        byte[] stream =
                "\uFEFF: hi\r\nid: 1\r\nevent: é€😀\r\ndata: é€😀\rdata:\n\r\n"
                        .getBytes(StandardCharsets.UTF_8);

        for (int first = 0; first <= stream.length; first++) {
            for (int second = first; second <= stream.length; second++) {
                Recorder recorder = new Recorder();
                EventStreamParser parser = new EventStreamParser("", recorder);
                parser.feed(stream, 0, first);
                parser.feed(stream, first, second - first);
                parser.feed(stream, second, stream.length - second);
                assertThat(recorder.events).containsExactly("1|é€😀|é€😀\n");
                assertThat(recorder.comments).containsExactly("hi");
            }
        }
    }
}
