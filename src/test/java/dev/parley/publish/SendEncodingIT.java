package dev.parley.publish;

import static dev.parley.testsupport.Gzip.gzip;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.SharedPod;
import java.io.ByteArrayOutputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Text is UTF-8 unless a charset is named, in bodies, queries and escapes, and a body may be
 * compressed with gzip. What cannot be decoded is refused, not repaired.
 */
class SendEncodingIT extends WatchedRoom {

    SendEncodingIT(SharedPod pod) {
        super(pod);
    }

    @Test
    void unescapedUtf8InBody_isPublished() {
        // curl --data sends what the user types as it is.
        assertRawPublished(sendRaw("Content-Type: " + FORM + "\r\n", "msg=é☃😀%20é"), "é☃😀 é");
    }

    /** Some of these characters have bytes that are control characters or a space in Latin-1. */
    @ParameterizedTest
    @ValueSource(strings = {"é", "à", "Ā", "☃", "😀", "\u0085", "\u00a0"})
    void unescapedUtf8InQuery_isPublished(String character) {
        assertRawPublished(sendRawQuery("msg=" + character + "%20%C3%A9"), character + " é");
    }

    @ParameterizedTest
    @ValueSource(strings = {"%", "%2", "%zz", "a%", "%%20", "%u0041"})
    void brokenPercentEscape_isRefused(String escape) {
        assertRefused(send(FORM, "msg=" + escape), "bad form: ");
        assertRefused(send("text/plain", "msg=" + escape), "bad form: ");
        assertThat(sendRawQuery("msg=" + escape)).startsWith("HTTP/1.1 400 ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"%FF", "%C3", "%C0%80", "%ED%A0%80", "%F5%80%80%80", "a%E2%98"})
    void brokenUtf8InEscapes_isRefused(String escapes) {
        assertRefused(send(FORM, "msg=" + escapes), "bad msg: ");
        assertRefused(send(FORM, "msg=hi&from=" + escapes), "bad from: ");
        assertRefused(http.call("POST", path() + "&msg=" + escapes), "bad msg: ");
        assertRefused(http.call("POST", path() + "&msg=hi&from=" + escapes), "bad from: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/plain", FORM, "application/json"})
    void brokenUtf8InBody_isRefused(String type) {
        byte[] body = "{\"msg\":\"\u00c3\"}&msg=\u00ff".getBytes(StandardCharsets.ISO_8859_1);

        String answer = sendRaw("Content-Type: " + type + "\r\n", body);

        assertThat(answer).startsWith("HTTP/1.1 400 ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\\ud800", "\\udc00", "a\\ud83d", "\\ud83d\\ud83d\\ude00"})
    void halfSurrogatePairInJson_isRefused(String escapes) {
        assertRefused(sendJson("{\"msg\":\"" + escapes + "\"}"), "bad msg: ");
        assertRefused(sendJson("{\"msg\":\"a\",\"from\":\"" + escapes + "\"}"), "bad from: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\r\nEvent-Id: x", "a\nEvent-Id: x", "a b", "a\0b"})
    void unescapedControlCharacterInRequestLine_isRefused(String text) {
        String answer = sendRawQuery("msg=" + text);

        assertThat(answer).matches("(?s)HTTP/1.[01] 400 .*").doesNotContainIgnoringCase("event-id");
    }

    @ParameterizedTest
    @CsvSource({
        "utf-8, UTF-8, é€",
        "\"UTF-8\", UTF-8, é€",
        "us-ascii, US-ASCII, e",
        "ISO-8859-1, ISO-8859-1, é",
        "iso-8859-1, windows-1252, é€“”",
        "windows-1252, windows-1252, é€“”",
        "utf-16, UTF-16, é€😀",
        "utf-16, UTF-16BE, é€😀",
        "utf-16le, UTF-16LE, é€😀",
        "utf-16be, UTF-16BE, é€😀"
    })
    void charsetOfText_isHonoured(String label, String charset, String text) {
        assertRawPublished(
                sendRaw(
                        "Content-Type: text/plain; charset=" + label + "\r\n",
                        text.getBytes(Charset.forName(charset))),
                text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/plain", FORM})
    void charsetOfAForm_isThatOfItsBytesAndItsEscapes(String type) {
        assertRawPublished(
                sendRaw(
                        "Content-Type: " + type + ";charset=windows-1252\r\n",
                        "msg=é+%E9+%80".getBytes(Charset.forName("windows-1252"))),
                "é é €");
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/plain", FORM, "application/json"})
    void unknownCharset_isRefused(String type) {
        for (String charset : new String[] {"koi8-r", "utf-7", "\"\"", "x"}) {
            assertRefused(
                    send(type + "; charset=" + charset, "msg=hi"),
                    415,
                    "unsupported media type: the charset ");
        }
    }

    @ParameterizedTest
    @CsvSource({"us-ascii, 195", "utf-16be, 216", "utf-8, 255"})
    void bytesThatAreNotInTheCharset_areRefused(String charset, int octet) {
        byte[] body = {(byte) octet, 0};

        String answer = sendRaw("Content-Type: text/plain; charset=" + charset + "\r\n", body);

        assertThat(answer).startsWith("HTTP/1.1 400 ").contains("bad ");
    }

    @ParameterizedTest
    @CsvSource({
        "text/plain, hi",
        "text/plain, msg=hi",
        FORM + ", msg=hi",
        "application/json, '{\"msg\":\"hi\"}'"
    })
    void byteOrderMarkAtTheStartOfABody_isDropped(String type, String body) {
        assertPublished(send(type, "\uFEFF" + body), "hi");
    }

    @Test
    void byteOrderMarkOfUtf16_isDropped() {
        assertRawPublished(
                sendRaw(
                        "Content-Type: text/plain; charset=utf-16le\r\n",
                        "\uFEFFhi".getBytes(Charset.forName("UTF-16LE"))),
                "hi");
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "x-gzip", "GZIP"})
    void gzip_isDecoded(String coding) {
        assertRawPublished(sendCoded(coding, gzip("é compressed")), "é compressed");
    }

    @Test
    void identity_isNotACoding() {
        assertRawPublished(sendCoded("identity", "hi".getBytes(UTF_8)), "hi");
    }

    @Test
    void gzipThatIsTooLongDecompressed_isRefused() {
        byte[] bomb = gzip(new byte[50_000_000]);
        assertThat(bomb.length).isLessThan(100_000);

        assertThat(sendCoded("gzip", bomb))
                .startsWith("HTTP/1.1 413 ")
                .contains("request too large: ");
        assertThat(sendCoded("gzip", gzip(new byte[100_000])))
                .startsWith("HTTP/1.1 413 ")
                .contains("msg too large: ");
    }

    /** The JDK's decoder calls itself for each member that is empty. */
    @Test
    void gzipOfManyMembers_isDecoded() {
        var members = new ByteArrayOutputStream();
        for (int i = 0; i < 20_000; i++) {
            members.writeBytes(gzip(new byte[0]));
        }
        members.writeBytes(gzip("and "));
        members.writeBytes(gzip("others"));
        members.writeBytes(new byte[10]);

        assertRawPublished(sendCoded("gzip", members.toByteArray()), "and others");
    }

    /** Flags: a checksum of the header, an extra field, a name and a comment (RFC 1952 §2.3.1). */
    @Test
    void gzipWithAllFieldsInItsHeader_isDecoded() {
        byte[] plain = gzip("hello");
        var whole = new ByteArrayOutputStream();
        whole.writeBytes(new byte[] {0x1F, (byte) 0x8B, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 0});
        whole.writeBytes(new byte[] {3, 0, 1, 2, 3, 'n', 0, 'c', 'o', 0, 9, 9});
        whole.writeBytes(Arrays.copyOfRange(plain, 10, plain.length));

        assertRawPublished(sendCoded("gzip", whole.toByteArray()), "hello");
    }

    @Test
    void gzipWithAWrongChecksum_isRefused() {
        byte[] wrong = gzip("hello");
        wrong[wrong.length - 6]++;

        assertThat(sendCoded("gzip", wrong)).startsWith("HTTP/1.1 400 ");
    }

    @Test
    void gzipThatIsBrokenOrCut_isRefused() {
        byte[] whole = gzip("hello");

        assertThat(sendCoded("gzip", "hello".getBytes(UTF_8))).startsWith("HTTP/1.1 400 ");
        assertThat(sendCoded("gzip", Arrays.copyOf(whole, whole.length - 9)))
                .startsWith("HTTP/1.1 400 ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"br", "deflate", "gzip, gzip", "nonsense"})
    void unknownContentCoding_isRefusedWithTheOneThatIsKnown(String coding) {
        Answer answer = http.with("Content-Encoding", coding).post(path(), "text/plain", "hi");

        assertRefused(answer, 415, "unsupported encoding: ");
        assertThat(answer.header("Accept-Encoding")).isEqualTo("gzip");
    }

    /** Several lines are one list (RFC 9110 §5.3). */
    @Test
    void secondContentCoding_isNotOverlooked() {
        String headers =
                """
                Content-Type: text/plain\r
                Content-Encoding: identity\r
                Content-Encoding: gzip\r
                """;

        assertThat(sendRaw(headers, gzip("hello"))).startsWith("HTTP/1.1 415 ");
    }

    private String sendCoded(String coding, byte[] body) {
        return sendRaw("Content-Type: text/plain\r\nContent-Encoding: " + coding + "\r\n", body);
    }
}
