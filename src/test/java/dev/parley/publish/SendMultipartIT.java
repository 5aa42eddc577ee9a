package dev.parley.publish;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.SharedPod;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A message can be sent as multipart/form-data, as a page sends {@code new FormData(form)}. */
class SendMultipartIT extends WatchedRoom {

    private static final String BOUNDARY = "----WebKitFormBoundaryABCdef123";
    private static final String TYPE = "multipart/form-data; boundary=" + BOUNDARY;

    SendMultipartIT(SharedPod pod) {
        super(pod);
    }

    @Test
    void fields_arePublished() {
        String text = "hi ☃ a+b%20 & c=d;e#f \"q\"\r\n\r\n--x\r\n😀";

        assertPublished(
                http.post("/send", TYPE, form(field("msg", text), field("room", room))),
                text.replace("\r\n", "\n"));
    }

    @Test
    void fieldsThatAreEmpty_areTakenFromTheQuery() {
        assertPublished(
                http.post(path() + "&from=Ada", TYPE, form(field("msg", "hi"), field("room", ""))),
                "hi");
    }

    @Test
    void firstOfSeveralFieldsOfOneName_isTaken() {
        assertPublished(send(TYPE, form(field("msg", "one"), field("msg", "two"))), "one");
    }

    @Test
    void fileInputWithoutAFile_isIgnored() {
        assertPublished(send(TYPE, form(file("", ""), field("msg", "hi"))), "hi");
    }

    @Test
    void quotedBoundary_isUnderstood() {
        assertPublished(
                send(
                        "multipart/form-data; boundary=\"" + BOUNDARY + "\"",
                        form(field("msg", "hi"))),
                "hi");
    }

    @Test
    void file_isRefused() {
        assertRefused(
                send(TYPE, form(field("msg", "hi"), file("a.txt", "abc"))),
                "bad form: it has a file");
    }

    @Test
    void bodyThatIsCutAnywhere_isRefused() {
        String whole = form(field("msg", "hello"), field("from", "Ada"));
        int end = whole.lastIndexOf("--\r\n");

        for (int length = 1; length < end; length += 7) {
            Answer answer = send(TYPE, whole.substring(0, length));
            assertThat(answer.status()).as("cut after %d", length).isEqualTo(400);
            assertThat(answer.body()).startsWith("bad form: ");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "multipart/form-data",
                "multipart/form-data; boundary=",
                "multipart/form-data; boundary=other"
            })
    void missingOrOtherBoundary_isRefused(String type) {
        assertRefused(send(type, form(field("msg", "hi"))), "bad form: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "hello",
                "--" + BOUNDARY + "--\r\n",
                "--" + BOUNDARY + "\r\n\r\nhi\r\n--" + BOUNDARY + "--\r\n",
                "--"
                        + BOUNDARY
                        + "\r\nContent-Disposition: form-data; name=\"msg\"\r\n"
                        + "Content-Type: text/plain; charset=no such\r\n\r\nhi\r\n--"
                        + BOUNDARY
                        + "--\r\n",
                "--" + BOUNDARY + "\r\nContent-Disposition: ;;;=\r\n\r\nhi\r\n--" + BOUNDARY + "--"
            })
    void malformedBody_isRefused(String body) {
        Answer answer = send(TYPE, body);

        assertThat(answer.status()).as(answer.body()).isEqualTo(400);
    }

    @Test
    void brokenUtf8_isRefused() {
        byte[] body = form(field("msg", "a\u00ff")).getBytes(ISO_8859_1);

        assertThat(sendRaw("Content-Type: " + TYPE + "\r\n", body))
                .startsWith("HTTP/1.1 400 ")
                .contains("bad msg: ");
    }

    @Test
    void moreThan1024Fields_areRefused() {
        String many =
                IntStream.range(0, 1024)
                        .mapToObj(i -> field("f" + i, "x"))
                        .collect(Collectors.joining());

        assertRefused(
                send(TYPE, form(field("msg", "hi"), many)),
                "bad form: it has more than 1024 fields");
    }

    private static String field(String name, String value) {
        return part("name=\"" + name + "\"\r\n\r\n" + value);
    }

    private static String file(String name, String content) {
        return part(
                "name=\"file\"; filename=\""
                        + name
                        + "\"\r\nContent-Type: application/octet-stream\r\n\r\n"
                        + content);
    }

    private static String part(String rest) {
        return "--" + BOUNDARY + "\r\nContent-Disposition: form-data; " + rest + "\r\n";
    }

    private static String form(String... parts) {
        return String.join("", parts) + "--" + BOUNDARY + "--\r\n";
    }
}
