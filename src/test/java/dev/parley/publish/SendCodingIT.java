package dev.parley.publish;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.SharedPod;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The charset and the content coding of a body are honoured, or the body is refused. */
@ExtendWith(SharedPod.Extension.class)
class SendCodingIT {

    private static final String FORM = "application/x-www-form-urlencoded";

    private final Http http;
    private final WatchedRoom watched;

    SendCodingIT(SharedPod pod) {
        http = pod.http();
        watched = new WatchedRoom(pod);
    }

    @AfterEach
    void checkWatchedRoom() {
        watched.close();
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
        String answer =
                watched.sendRaw(
                        "Content-Type: text/plain; charset=" + label + "\r\n",
                        text.getBytes(Charset.forName(charset)));

        assertThat(answer).startsWith("HTTP/1.1 200 ");
        watched.assertReceived(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/plain", FORM})
    void charsetOfAForm_isThatOfItsBytesAndItsEscapes(String type) {
        String answer =
                watched.sendRaw(
                        "Content-Type: " + type + ";charset=windows-1252\r\n",
                        "msg=é+%E9+%80".getBytes(Charset.forName("windows-1252")));

        assertThat(answer).startsWith("HTTP/1.1 200 ");
        watched.assertReceived("é é €");
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/plain", FORM, "application/json"})
    void unknownCharset_isRefused(String type) {
        for (String charset : new String[] {"koi8-r", "utf-7", "\"\"", "x"}) {
            watched.assertRefused(
                    http.post(watched.path(), type + "; charset=" + charset, "msg=hi"),
                    415,
                    "unsupported media type: the charset ");
        }
    }

    @ParameterizedTest
    @CsvSource({"us-ascii, 195", "utf-16be, 216", "utf-8, 255"})
    void bytesThatAreNotInTheCharset_areRefused(String charset, int octet) {
        byte[] body = {(byte) octet, 0};

        String answer =
                watched.sendRaw("Content-Type: text/plain; charset=" + charset + "\r\n", body);

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
        watched.assertPublished(http.post(watched.path(), type, "\uFEFF" + body), "hi");
    }

    @Test
    void byteOrderMarkOfUtf16_isDropped() {
        assertThat(
                        watched.sendRaw(
                                "Content-Type: text/plain; charset=utf-16le\r\n",
                                "\uFEFFhi".getBytes(Charset.forName("UTF-16LE"))))
                .startsWith("HTTP/1.1 200 ");
        watched.assertReceived("hi");
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "x-gzip", "GZIP"})
    void gzip_isDecoded(String coding) {
        assertThat(sendCoded(coding, gzip("é compressed".getBytes(UTF_8))))
                .startsWith("HTTP/1.1 200 ");
        watched.assertReceived("é compressed");
    }

    @Test
    void identity_isNoCoding() {
        assertThat(sendCoded("identity", "hi".getBytes(UTF_8))).startsWith("HTTP/1.1 200 ");
        watched.assertReceived("hi");
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

    @Test
    void gzipThatIsBrokenOrCut_isRefused() {
        byte[] whole = gzip("hello".getBytes(UTF_8));

        assertThat(sendCoded("gzip", "hello".getBytes(UTF_8))).startsWith("HTTP/1.1 400 ");
        assertThat(sendCoded("gzip", Arrays.copyOf(whole, whole.length - 9)))
                .startsWith("HTTP/1.1 400 ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"br", "deflate", "gzip, gzip", "nonsense"})
    void unknownContentCoding_isRefusedWithTheOneThatIsKnown(String coding) {
        Http.Answer answer =
                http.with("Content-Encoding", coding).post(watched.path(), "text/plain", "hi");

        watched.assertRefused(answer, 415, "unsupported encoding: ");
        assertThat(answer.header("Accept-Encoding")).isEqualTo("gzip");
    }

    private String sendCoded(String coding, byte[] body) {
        return watched.sendRaw(
                "Content-Type: text/plain\r\nContent-Encoding: " + coding + "\r\n", body);
    }

    private static byte[] gzip(byte[] plain) {
        var bytes = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(bytes)) {
            gzip.write(plain);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }
}
