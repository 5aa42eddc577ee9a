package dev.parley.guarantees;

import static dev.parley.guarantees.GeneratedRequests.WATCHED_ROOM;

import dev.parley.guarantees.GeneratedRequests.Request;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A generated publish request whose fields are known, so that the outcome can be checked: whether
 * Parley must accept it, and which text and type its readers then receive.
 *
 * @param escaping whether also those characters are escaped that need not be
 * @param more what follows the fields of a form or query
 * @param chunk length of the body's chunks, or 0 to announce the body's length
 */
record PublishCase(
        Form form, Fields fields, boolean escaping, String more, int chunk, List<String> headers) {

    /**
     * The text of a second {@code msg} field that follows the others in some cases. It is what
     * readers receive if the first one is absent or empty.
     */
    static final String SECOND_MSG = "again";

    private static final int LIMIT = 64 * 1024;

    /** Which part of the request carries the fields, and in which syntax. */
    enum Form {
        BODY,
        QUERY,
        JSON,
        /** The text is the body, the other fields are in the query. */
        TEXT,
        /** A form body that is declared as plain text. */
        FORM_AS_TEXT
    }

    /** The fields of the message. */
    record Fields(
            Optional<String> msg,
            Optional<String> room,
            Optional<String> from,
            Optional<String> event) {}

    /** The request on the wire. */
    Request request() {
        return switch (form) {
            case BODY -> request("/send", "application/x-www-form-urlencoded", encodedFields());
            case QUERY -> request("/send?" + encodedFields());
            case JSON -> request("/send", "application/json", json());
            case TEXT ->
                    request(
                            "/send?" + fieldsButMsg(),
                            "text/plain",
                            latin1(utf8(fields.msg().orElse(""))));
            case FORM_AS_TEXT -> request("/send", typeOfFormBody(), encodedFields());
        };
    }

    /** A text/plain body is read as a form only if it begins with {@code msg=}. */
    private String typeOfFormBody() {
        return fields.msg().isPresent()
                ? "text/plain;charset=UTF-8"
                : "application/x-www-form-urlencoded";
    }

    private Request request(String target) {
        return new Request("POST", target, headers, "", 0);
    }

    private Request request(String target, String type, String body) {
        List<String> all = new ArrayList<>(headers);
        all.add("Content-Type: " + type);
        return new Request("POST", target, all, body, chunk);
    }

    /**
     * Whether Parley must accept the request: a valid text in the watched room and nothing else.
     */
    boolean mustBeAccepted() {
        return fields.room().isPresent()
                && fields.room().get().equals(WATCHED_ROOM)
                && fields.from().isEmpty()
                && fields.event().isEmpty()
                && fields.msg().isPresent()
                && !withoutByteOrderMark(fields.msg().get()).isEmpty()
                && isUnicode(fields.msg().get())
                && !isReadAsForm()
                && !headers.contains("Content-Encoding: gzip")
                && fields.msg().get().getBytes(StandardCharsets.UTF_8).length <= LIMIT;
    }

    /** Whether Parley reads a plain text as a form, so that the expected text is unknown. */
    boolean isReadAsForm() {
        return form == Form.TEXT
                && fields.msg().isPresent()
                && withoutByteOrderMark(fields.msg().get()).startsWith("msg=");
    }

    /** The text that readers receive. */
    String expectedText() {
        return fields.msg()
                .map(this::withoutByteOrderMark)
                .filter(text -> !text.isEmpty())
                .orElse(SECOND_MSG)
                .replace("\r\n", "\n")
                .replace('\r', '\n');
    }

    /** A byte order mark at the start of a body is dropped; elsewhere it is a character. */
    private String withoutByteOrderMark(String text) {
        return form == Form.TEXT && text.startsWith("\uFEFF") ? text.substring(1) : text;
    }

    /** The type of the event that readers receive. */
    String expectedType() {
        return fields.event().filter(name -> !name.isEmpty()).orElse("message");
    }

    /** Whether the request has a key under which an earlier one may have been published. */
    boolean hasIdempotencyKey() {
        return headers.stream().anyMatch(line -> line.startsWith("Idempotency-Key:"));
    }

    private String encodedFields() {
        List<String> pairs = new ArrayList<>();
        fields.msg().ifPresent(value -> pairs.add("msg=" + encode(value)));
        return String.join("&", pairs) + "&" + fieldsButMsg();
    }

    private String fieldsButMsg() {
        List<String> pairs = new ArrayList<>();
        fields.room().ifPresent(value -> pairs.add("room=" + encode(value)));
        fields.from().ifPresent(value -> pairs.add("from=" + encode(value)));
        fields.event().ifPresent(value -> pairs.add("event=" + encode(value)));
        return String.join("&", pairs) + more;
    }

    private String json() {
        List<String> pairs = new ArrayList<>();
        fields.msg().ifPresent(value -> pairs.add("\"msg\":" + quote(value)));
        fields.room().ifPresent(value -> pairs.add("\"room\": " + quote(value)));
        fields.from().ifPresent(value -> pairs.add(" \"from\":" + quote(value)));
        fields.event().ifPresent(value -> pairs.add("\"event\":" + quote(value)));
        return "{" + String.join(",", pairs) + "}";
    }

    private String encode(String text) {
        var encoded = new StringBuilder();
        for (byte b : utf8(text)) {
            boolean plain = (isUnreserved(b) || b < 0) && !escaping;
            int value = b & 0xFF;
            encoded.append(plain ? Character.toString(value) : "%%%02x".formatted(value));
        }
        return encoded.toString();
    }

    private String quote(String text) {
        var quoted = new StringBuilder("\"");
        text.chars()
                .forEach(
                        c ->
                                quoted.append(
                                        escaping || c < ' ' || c > '~' || c == '"' || c == '\\'
                                                ? "\\u%04x".formatted(c)
                                                : Character.toString(c)));
        return quoted.append('"').toString();
    }

    private static boolean isUnicode(String text) {
        return StandardCharsets.UTF_8.newEncoder().canEncode(text);
    }

    private static boolean isUnreserved(byte b) {
        return (b >= '0' && b <= '9') || (b >= 'a' && b <= 'z') || b == '-' || b == '.' || b == '_';
    }

    /** Encodes as UTF-8; half of a surrogate pair is encoded as if it were a character. */
    private static byte[] utf8(String text) {
        var bytes = new ByteArrayOutputStream();
        text.codePoints()
                .forEach(
                        c -> {
                            if (c >= 0xD800 && c <= 0xDFFF) {
                                bytes.write(0xE0 | (c >> 12));
                                bytes.write(0x80 | ((c >> 6) & 0x3F));
                                bytes.write(0x80 | (c & 0x3F));
                            } else {
                                bytes.writeBytes(
                                        Character.toString(c).getBytes(StandardCharsets.UTF_8));
                            }
                        });
        return bytes.toByteArray();
    }

    private static String latin1(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }
}
