package dev.parley.guarantees;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** How a message can be written into a publish request, character by character. */
final class Submissions {

    /** What stands last in some forms, and counts where nothing else does. */
    static final String AGAIN = "again";

    private static final int LIMIT = 64 * 1024;

    private Submissions() {}

    /** Where a message's fields stand. */
    enum Form {
        BODY,
        QUERY,
        JSON,
        TEXT,
        FORM_AS_TEXT
    }

    /** A message to be. */
    record Words(
            Optional<String> msg,
            Optional<String> room,
            Optional<String> from,
            Optional<String> event) {}

    /**
     * A message to be, and how it is written.
     *
     * @param escaping whether even what need not be escaped is
     * @param more what follows the fields of a form or query
     */
    record Submission(
            Form form,
            Words words,
            boolean escaping,
            String more,
            int chunk,
            List<String> headers) {

        Optional<String> room() {
            return words.room();
        }

        Optional<String> event() {
            return words.event();
        }

        RawRequest request() {
            return switch (form) {
                case BODY -> request("/send", "application/x-www-form-urlencoded", fields());
                case QUERY -> request("/send?" + fields());
                case JSON -> request("/send", "application/json", json());
                case TEXT ->
                        request(
                                "/send?" + rest(),
                                "text/plain",
                                latin1(utf8(words.msg().orElse(""))));
                case FORM_AS_TEXT -> request("/send", typeOfForm(), fields());
            };
        }

        /** What does not begin with the text is not taken for a form, but for the text. */
        private String typeOfForm() {
            return words.msg().isPresent()
                    ? "text/plain;charset=UTF-8"
                    : "application/x-www-form-urlencoded";
        }

        private RawRequest request(String target) {
            return new RawRequest("POST", target, headers, "", 0);
        }

        private RawRequest request(String target, String type, String body) {
            List<String> all = new ArrayList<>(headers);
            all.add("Content-Type: " + type);
            return new RawRequest("POST", target, all, body, chunk);
        }

        /** Whether it must be accepted, whatever else may be. */
        boolean isOrdinary() {
            return words.room().isPresent()
                    && words.room().get().equals(FuzzedPod.ROOM)
                    && words.from().isEmpty()
                    && words.event().isEmpty()
                    && words.msg().isPresent()
                    && !words.msg().get().isEmpty()
                    && isUnicode(words.msg().get())
                    && !isReadAsForm()
                    && words.msg().get().getBytes(StandardCharsets.UTF_8).length <= LIMIT;
        }

        boolean isReadAsForm() {
            return form == Form.TEXT
                    && words.msg().isPresent()
                    && words.msg().get().startsWith("msg=");
        }

        /** The text as readers get it. */
        String received() {
            return words.msg()
                    .filter(text -> !text.isEmpty())
                    .orElse(AGAIN)
                    .replace("\r\n", "\n")
                    .replace('\r', '\n');
        }

        private String fields() {
            List<String> fields = new ArrayList<>();
            words.msg().ifPresent(value -> fields.add("msg=" + encode(value)));
            return String.join("&", fields) + "&" + rest();
        }

        private String rest() {
            List<String> fields = new ArrayList<>();
            words.room().ifPresent(value -> fields.add("room=" + encode(value)));
            words.from().ifPresent(value -> fields.add("from=" + encode(value)));
            words.event().ifPresent(value -> fields.add("event=" + encode(value)));
            return String.join("&", fields) + more;
        }

        private String json() {
            List<String> fields = new ArrayList<>();
            words.msg().ifPresent(value -> fields.add("\"msg\":" + quote(value)));
            words.room().ifPresent(value -> fields.add("\"room\": " + quote(value)));
            words.from().ifPresent(value -> fields.add(" \"from\":" + quote(value)));
            words.event().ifPresent(value -> fields.add("\"event\":" + quote(value)));
            return "{" + String.join(",", fields) + "}";
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
    }

    private static boolean isUnicode(String text) {
        return StandardCharsets.UTF_8.newEncoder().canEncode(text);
    }

    private static boolean isUnreserved(byte b) {
        return (b >= '0' && b <= '9') || (b >= 'a' && b <= 'z') || b == '-' || b == '.' || b == '_';
    }

    /** As UTF-8, in which half of a surrogate pair is written as if it were a character. */
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
