package dev.parley.testsupport;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The examples of WHATWG HTML §9.2.6 and the corners of its grammar. */
class EventStreamParserTest {

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

    private static Recorder parsed(byte[] stream) {
        var recorder = new Recorder();
        new EventStreamParser("", recorder).feed(stream);
        return recorder;
    }

    private static Recorder parsed(String stream) {
        return parsed(stream.getBytes(UTF_8));
    }

    @ParameterizedTest
    @MethodSource
    void stream_isInterpretedAsTheStandardDefines(String rule, String stream, List<String> events) {
        assertThat(parsed(stream).events).as(rule).isEqualTo(events);
    }

    static Stream<Arguments> stream_isInterpretedAsTheStandardDefines() {
        return Stream.of(
                stream(
                        "data lines join with line feeds",
                        "data: YHOO\ndata: +2\ndata: 10\n\n",
                        "|message|YHOO\n+2\n10"),
                stream(
                        "an id without value resets it, an unfinished block is dropped",
                        ": x\n\ndata: first\nid: 1\n\ndata:second\nid\n\ndata: third",
                        "1|message|first",
                        "|message|second"),
                stream("only one space is removed", "data:  third\n\n", "|message| third"),
                stream("the space is optional", "data:test\n\n", "|message|test"),
                stream(
                        "data without value is an empty line",
                        "data\n\ndata\ndata\n\ndata:",
                        "|message|",
                        "|message|\n"),
                stream(
                        "a type holds for one block, dispatched or not",
                        "event: add\ndata: 7\n\nevent:\ndata: 1\n\nevent: gone\n\ndata: 2\n\n",
                        "|add|7",
                        "|message|1",
                        "|message|2"),
                stream(
                        "a block without data sets the id",
                        "id: k3f9-42\n\ndata: next\n\n",
                        "k3f9-42|message|next"),
                stream("an id with NUL is ignored", "id: 1\nid: 2\0\ndata: x\n\n", "1|message|x"),
                stream(
                        "unknown fields are ignored, and case matters",
                        "Data: no\n data: no\nfoo: no\ndata : no\ndata: yes\n\n",
                        "|message|yes"),
                stream("a value may contain colons", "data: a:b: c\n\n", "|message|a:b: c"),
                stream("LF, CR and CRLF end lines", "data: a\r\rdata: b\n\r\n", twoMessages()),
                stream("CRLF is one line end", "data: a\r\n\r\ndata: b\r\n\n", twoMessages()),
                stream(
                        "one byte order mark at the start is removed",
                        "\uFEFFdata: a\n\n\uFEFFdata: b\n\n",
                        "|message|a"),
                stream(
                        "a second byte order mark belongs to the line",
                        "\uFEFF\uFEFFdata: a\ndata: b\n\n",
                        "|message|b"));
    }

    private static Arguments stream(String rule, String stream, String... events) {
        return arguments(rule, stream, List.of(events));
    }

    private static String[] twoMessages() {
        return new String[] {"|message|a", "|message|b"};
    }

    @Test
    void malformedUtf8_becomesReplacementCharacters() {
        assertThat(parsed("data: a\u00FFb\u00E2\n\n".getBytes(ISO_8859_1)).events)
                .containsExactly("|message|a\uFFFDb\uFFFD");
    }

    @Test
    void idOfUnfinishedBlock_isNotTheLastEventId() {
        assertThat(parsed("id: 1\n\nid: 2\n").ids).containsExactly("1");
    }

    @Test
    void idOfAnEarlierConnection_isKept() {
        var recorder = new Recorder();

        new EventStreamParser("7", recorder).feed("data: x\n\n".getBytes(UTF_8));

        assertThat(recorder.events).containsExactly("7|message|x");
    }

    @Test
    void retry_takesAsciiDigitsOnly_andIsCappedAtLong() {
        String stream =
                "retry: 2500\nretry: -1\nretry: 1.5\nretry:\nretry: 1 \nretry:  1\nretry: ٣\n";

        assertThat(parsed(stream + "retry: 99999999999999999999\n").retries)
                .containsExactly(2500L, Long.MAX_VALUE);
    }

    @Test
    void stream_inAnyThreePieces_isInterpretedTheSame() {
        byte[] stream =
                "\uFEFF: hi\r\nid: 1\r\nevent: é€😀\r\ndata: é€😀\rdata:\n\r\n".getBytes(UTF_8);

        for (int first = 0; first <= stream.length; first++) {
            for (int second = first; second <= stream.length; second++) {
                var recorder = new Recorder();
                var parser = new EventStreamParser("", recorder);
                parser.feed(stream, 0, first);
                parser.feed(stream, first, second - first);
                parser.feed(stream, second, stream.length - second);

                assertThat(recorder.events).containsExactly("1|é€😀|é€😀\n");
                assertThat(recorder.comments).containsExactly("hi");
            }
        }
    }
}
