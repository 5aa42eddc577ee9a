package dev.parley.guarantees;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;

/**
 * The base of {@link FuzzIT}, which generates its requests: HTTP/1 requests by endpoint, publish
 * requests whose fields are known, HTTP/2 frames, and mutations of a request's bytes.
 *
 * <p>The order here is: what a request and a mutation are, the generators of whole requests, and
 * the targets, headers and texts that requests consist of. Each piece is drawn from values of three
 * kinds: valid ones, ones that resemble valid values or touch a limit, and arbitrary ones, which
 * seldom get past the first check.
 */
abstract class GeneratedRequests {

    /** The room whose reader checks what it receives. */
    static final String WATCHED_ROOM = "watched";

    private static final String PLAIN_ACCEPT =
            "Accept: application/[a-z+]+(;q=[0-9.]+(, \\*/\\*;q=0)?)?";

    /**
     * An HTTP/1.1 request of any bytes.
     *
     * @param target in Latin-1, in which each character is one byte; so are the headers and the
     *     body
     * @param headers whole lines without their ends
     * @param chunk length of the body's chunks, or 0 to announce the body's length
     */
    record Request(String method, String target, List<String> headers, String body, int chunk) {

        /**
         * The longest target that is accepted: the limit of the request line, with room for the
         * rest.
         */
        private static final int MAX_TARGET = 8_000;

        private static final int MAX_CHUNKS = 1_000;

        /** The bytes of this request, which asks to close the connection after the answer. */
        byte[] bytes() {
            return bytes("Connection: close\r\n");
        }

        /** The bytes of this request and of another one, pipelined (RFC 9112 §9.3.2). */
        byte[] followedBy(Request next) {
            var both = new ByteArrayOutputStream();
            both.writeBytes(bytes(""));
            both.writeBytes(next.bytes());
            return both.toByteArray();
        }

        private byte[] bytes(String connection) {
            var request = new ByteArrayOutputStream();
            request.writeBytes(latin1(method + " " + target + " HTTP/1.1\r\nHost: x\r\n"));
            headers.forEach(line -> request.writeBytes(latin1(line + "\r\n")));
            request.writeBytes(latin1(connection));
            if (chunk > 0) {
                request.writeBytes(latin1("Transfer-Encoding: chunked\r\n\r\n"));
                writeChunks(request);
            } else if (!body.isEmpty()) {
                request.writeBytes(latin1("Content-Length: " + body.length() + "\r\n\r\n" + body));
            } else {
                request.writeBytes(latin1("\r\n"));
            }
            return request.toByteArray();
        }

        private void writeChunks(ByteArrayOutputStream request) {
            int size = Math.max(chunk, body.length() / MAX_CHUNKS);
            for (int at = 0; at < body.length(); at += size) {
                String part = body.substring(at, Math.min(at + size, body.length()));
                String length = Integer.toHexString(part.length());
                request.writeBytes(latin1(length + "\r\n" + part + "\r\n"));
            }
            request.writeBytes(latin1("0\r\n\r\n"));
        }

        /** Whether the target is a URI. The server refuses some others with an empty body. */
        boolean hasUri() {
            try {
                return target.startsWith("/")
                        && target.length() <= MAX_TARGET
                        && !new URI(target).isOpaque();
            } catch (URISyntaxException e) {
                return false;
            }
        }

        /** The request as text for a failure; bytes that are not printable ASCII are escaped. */
        @Override
        public String toString() {
            return "\n" + printable(bytes());
        }

        /** Any bytes as text; those that are not printable ASCII are escaped. */
        static String printable(byte[] bytes) {
            var text = new StringBuilder();
            for (byte b : bytes) {
                if (b == '\n') {
                    text.append("\\n\n");
                } else if (b == '\\' || b < ' ' || b == 0x7F) {
                    text.append("\\x%02x".formatted(b & 0xFF));
                } else {
                    text.append((char) b);
                }
            }
            return text.length() > 3_000
                    ? text.substring(0, 1_500) + " … " + text.substring(text.length() - 500)
                    : text.toString();
        }

        private static byte[] latin1(String text) {
            return text.getBytes(StandardCharsets.ISO_8859_1);
        }
    }

    /** A change of one byte of a request. */
    enum Mutation {
        OVERWRITE,
        DELETE,
        DUPLICATE,
        /** Keeps the byte and drops everything after it. */
        TRUNCATE;

        /**
         * Applies the mutation.
         *
         * @param at index of the byte
         * @param other the byte that overwrites it
         */
        byte[] apply(byte[] bytes, int at, byte other) {
            var mutated = new ByteArrayOutputStream();
            mutated.write(bytes, 0, at);
            switch (this) {
                case OVERWRITE -> mutated.write(other);
                case DELETE -> {}
                case DUPLICATE -> mutated.writeBytes(new byte[] {bytes[at], bytes[at]});
                case TRUNCATE -> mutated.write(bytes[at]);
            }
            if (this != TRUNCATE) {
                mutated.write(bytes, at + 1, bytes.length - at - 1);
            }
            return mutated.toByteArray();
        }
    }

    /**
     * A generated publish request whose fields are known, so that the outcome can be checked:
     * whether Parley must accept it, and which text and type its readers then receive.
     *
     * @param escaping whether also those characters are escaped that need not be
     * @param more what follows the fields of a form or query
     * @param chunk length of the body's chunks, or 0 to announce the body's length
     */
    record PublishCase(
            Form form,
            Fields fields,
            boolean escaping,
            String more,
            int chunk,
            List<String> headers) {

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
                                new String(
                                        utf8(fields.msg().orElse("")),
                                        StandardCharsets.ISO_8859_1));
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
         * Whether Parley must accept the request: a valid text in the watched room and nothing
         * else.
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
                    && !hasSeveralIdempotencyKeys()
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

        private boolean hasSeveralIdempotencyKeys() {
            return headers.stream()
                            .filter(line -> line.startsWith("Idempotency-Key:"))
                            .distinct()
                            .count()
                    > 1;
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
            return (b >= '0' && b <= '9')
                    || (b >= 'a' && b <= 'z')
                    || b == '-'
                    || b == '.'
                    || b == '_';
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
    }

    // Whole requests.

    /** Well-formed publish requests with any fields. */
    @Provide
    Arbitrary<PublishCase> publishCases() {
        return Combinators.combine(
                        Arbitraries.of(PublishCase.Form.class),
                        fields(),
                        Arbitraries.of(true, false),
                        Arbitraries.of(
                                "",
                                "",
                                "&",
                                "&&=&",
                                "&msg=" + PublishCase.SECOND_MSG,
                                "&room=x&room=y",
                                "&a",
                                "&="),
                        Arbitraries.of(0, 0, 0, 1, 7, 1000),
                        header().list().ofMaxSize(3).map(GeneratedRequests::withoutRefusedHeaders))
                .as(PublishCase::new);
    }

    private static Arbitrary<PublishCase.Fields> fields() {
        Arbitrary<Optional<String>> room =
                Arbitraries.frequencyOf(
                        Tuple.of(8, Arbitraries.just(Optional.of(WATCHED_ROOM))),
                        Tuple.of(1, optional(shortText(), 0.5)));
        return Combinators.combine(
                        optional(text(), 0.03),
                        room,
                        optional(shortText(), 0.8),
                        optional(shortText(), 0.8))
                .as(PublishCase.Fields::new);
    }

    /**
     * Drops headers for which the whole request is refused; {@link #publishRequests} sends them.
     */
    private static List<String> withoutRefusedHeaders(List<String> headers) {
        return headers.stream()
                .filter(line -> !line.startsWith("Accept:") || line.matches(PLAIN_ACCEPT))
                .filter(line -> !line.startsWith("Content-Type:"))
                .filter(line -> line.matches("(?!Idempotency-Key).*|Idempotency-Key: [!-~]{1,128}"))
                .toList();
    }

    /** Publish requests with any target, headers and body. */
    @Provide
    Arbitrary<Request> publishRequests() {
        Arbitrary<String> body =
                Arbitraries.oneOf(
                        Arbitraries.strings().withCharRange('\0', '\u00ff').ofMaxLength(200),
                        joined(
                                "{ } [ ] \" : , msg \"msg\" room event from hi null true - 0 1e999"
                                        + " \\ \\u d800 = & % %00 %zz %ff \r\n \0"
                                        + " \u00c3\u00a9 \u00e9 [[[[[[[[[[[[[[[[",
                                " "));
        return Combinators.combine(
                        withQuery(oneOf("/send /send? /send/")),
                        header().list().ofMaxSize(5),
                        body,
                        Arbitraries.of(0, 0, 1, 5))
                .as(
                        (target, headers, text, chunk) ->
                                new Request("POST", target, headers, text, chunk));
    }

    /** Requests for an event stream. */
    @Provide
    Arbitrary<Request> subscriptions() {
        return withoutBody(
                Arbitraries.just("GET"), withQuery(oneOf("/events /events? /events/")), 4);
    }

    /** Requests for a page of a room's history. */
    @Provide
    Arbitrary<Request> historyRequests() {
        Arbitrary<String> room =
                Arbitraries.oneOf(
                        Arbitraries.of("lobby", WATCHED_ROOM, "a".repeat(64), "a".repeat(3000)),
                        joined(
                                "a . .. / %2f %2F %00 %2e %5c ; ;a=b %25 %ff %zz é - _ {a} + %20 *"
                                        + " %0d%0a"));
        return withoutBody(
                Arbitraries.just("GET"),
                withQuery(room.map(name -> "/rooms/" + name + "/messages")),
                3);
    }

    /** Requests of any method and path. */
    @Provide
    Arbitrary<Request> otherRequests() {
        Arbitrary<String> path =
                joined(
                        "/ / send events rooms messages lobby {room} q health index.html chat.js"
                                + " META-INF a . .. %2e%2e %2f %00 %5c % * ;x é ~");
        return withoutBody(
                oneOf("GET HEAD POST PUT DELETE PATCH OPTIONS TRACE BREW get PROPFIND"),
                withQuery(path.map(rest -> "/" + rest)),
                3);
    }

    /** Requests of all endpoints, without the publish cases. */
    @Provide
    Arbitrary<Request> anyRequests() {
        return Arbitraries.oneOf(
                subscriptions(),
                historyRequests(),
                otherRequests(),
                publishRequests(),
                clockRequests());
    }

    /** Requests for the clock, whose stream the framework writes and not Parley. */
    private static Arbitrary<Request> clockRequests() {
        return withoutBody(Arbitraries.just("GET"), Arbitraries.just("/clock"), 3);
    }

    private static Arbitrary<Request> withoutBody(
            Arbitrary<String> method, Arbitrary<String> target, int maxHeaders) {
        return Combinators.combine(method, target, header().list().ofMaxSize(maxHeaders))
                .as((verb, path, headers) -> new Request(verb, path, headers, "", 0));
    }

    // HTTP/2.

    /** The frame that must come first, with no setting in it. */
    private static final byte[] SETTINGS = {0, 0, 0, 4, 0, 0, 0, 0, 0};

    /** Connections that begin as HTTP/2 (RFC 9113 §3.4) and go on with arbitrary frames. */
    @Provide
    Arbitrary<byte[]> http2Connections() {
        Arbitrary<byte[]> first =
                Arbitraries.frequencyOf(
                        Tuple.of(4, Arbitraries.just(SETTINGS)), Tuple.of(1, frame()));
        Arbitrary<byte[]> others =
                Arbitraries.frequencyOf(Tuple.of(3, frame()), Tuple.of(1, headersFrame()));
        return Combinators.combine(first, others.list().ofMaxSize(8))
                .as(
                        (start, frames) -> {
                            var bytes = new ByteArrayOutputStream();
                            bytes.writeBytes(RawFrames.PREFACE);
                            bytes.writeBytes(start);
                            frames.forEach(bytes::writeBytes);
                            return bytes.toByteArray();
                        });
    }

    /**
     * A frame of a known or unknown type, mostly of the length that it announces (RFC 9113 §4.1).
     */
    private static Arbitrary<byte[]> frame() {
        return Combinators.combine(
                        Arbitraries.integers().between(0, 11),
                        Arbitraries.bytes(),
                        streamIds(),
                        Arbitraries.bytes().array(byte[].class).ofMaxSize(30),
                        Arbitraries.of(0, 0, 0, 0, 0, 0, 1, 5, 20_000))
                .as(RawFrames::frame);
    }

    /** A valid HEADERS frame (RFC 9113 §6.2), with or without a body to follow. */
    private static Arbitrary<byte[]> headersFrame() {
        return Combinators.combine(
                        streamIds(),
                        Arbitraries.of("/events", "/send", "/nothing"),
                        Arbitraries.of(RawFrames.GET, RawFrames.POST),
                        Arbitraries.of(false, true))
                .as(
                        (streamId, path, method, end) ->
                                RawFrames.headers(end, streamId, method, path));
    }

    private static Arbitrary<Integer> streamIds() {
        return Arbitraries.integers().between(0, 5);
    }

    // Targets, headers and texts.

    /**
     * One of these values.
     *
     * @param words values separated by spaces
     * @param more values that are empty, contain spaces, or are computed
     */
    private static Arbitrary<String> oneOf(String words, String... more) {
        List<String> all = new ArrayList<>(List.of(words.split(" ")));
        all.addAll(List.of(more));
        return Arbitraries.of(all);
    }

    /** Up to eight of these values, in any order, joined without a separator. */
    private static Arbitrary<String> joined(String words, String... more) {
        return oneOf(words, more).list().ofMaxSize(8).map(parts -> String.join("", parts));
    }

    /** Appends a query, which may be empty, to a path. */
    private static Arbitrary<String> withQuery(Arbitrary<String> path) {
        return Combinators.combine(path, queryField().list().ofMaxSize(5))
                .as(GeneratedRequests::withFields);
    }

    private static String withFields(String path, List<String> fields) {
        if (fields.isEmpty()) {
            return path;
        }
        return path + (path.endsWith("?") ? "" : "?") + String.join("&", fields);
    }

    private static Arbitrary<String> queryField() {
        Arbitrary<String> name =
                oneOf(
                        "msg room from event format history lastEventId limit before after é %00",
                        "");
        Arbitrary<String> special =
                oneOf(
                        "a lobby json text goodbye 0 1 500 501 -1 999999999999 x-1 k3f9-42 0-0"
                                + " a-999999999999999999 a-9999999999999999999"
                                + " %0a %00 %ff %c3%28 %ed%a0%80 %zz % + é",
                        "", "a".repeat(200), "a".repeat(5000));
        Arbitrary<String> any = joined("a %20 %e2%98%83 = ? / ; \" < | '");
        Arbitrary<String> value = Arbitraries.oneOf(special, any);
        return Combinators.combine(name, value).as((n, v) -> n + "=" + v);
    }

    /** A header line. */
    private static Arbitrary<String> header() {
        return Arbitraries.oneOf(
                Arbitraries.oneOf(mediaRanges(), arbitraryValue()).map(value -> "Accept: " + value),
                Arbitraries.oneOf(contentTypes(), arbitraryValue())
                        .map(value -> "Content-Type: " + value),
                Arbitraries.oneOf(shortKey(), arbitraryValue())
                        .map(value -> "Idempotency-Key: " + value),
                Arbitraries.oneOf(Arbitraries.of("x-1", "a".repeat(3000)), arbitraryValue())
                        .map(value -> "Last-Event-ID: " + value),
                arbitraryValue().map(value -> "X-Any: " + value),
                rareHeader());
    }

    private static Arbitrary<String> mediaRanges() {
        return Arbitraries.of(
                "application/json",
                "application/json;q=0",
                "text/event-stream",
                "application/problem+json",
                "application/json;q=0.001, */*;q=0");
    }

    private static Arbitrary<String> contentTypes() {
        return Arbitraries.of(
                "application/json",
                "text/plain",
                "application/json;charset=x",
                "application/x-www-form-urlencoded",
                "multipart/form-data",
                "multipart/form-data; boundary=x",
                "text/plain, text/plain");
    }

    /** Keys so short that some occur twice in a run. */
    private static Arbitrary<String> shortKey() {
        return Arbitraries.strings().withCharRange('!', '~').ofLength(2);
    }

    private static Arbitrary<String> arbitraryValue() {
        return joined(
                "a / * */* ; ;q= ;q=0 , = \" \\ é \u00ff - 1 0 999999999999999999999 ( : @"
                        + " charset utf-16 application/json text/plain text/event-stream",
                " ",
                "\t");
    }

    private static Arbitrary<String> rareHeader() {
        return Arbitraries.of(
                "Expect: 100-continue",
                "Expect: tea",
                "Origin: null",
                "Origin: http://a",
                "Cookie: \"",
                "Accept-Encoding: gzip",
                "Accept-Charset: utf-16",
                "Accept-Language: *",
                "Upgrade: websocket",
                "Range: bytes=0-1",
                "If-None-Match: *",
                "X-Forwarded-For: é",
                "Forwarded: for=\"",
                "Content-Encoding: gzip",
                "Authorization: Basic %",
                "TE: trailers");
    }

    /** A message text, now and then with a length around the limit. */
    private static Arbitrary<String> text() {
        Arbitrary<String> longText =
                Combinators.combine(
                                Arbitraries.of("a", "é", "€", "😀", "\r\n", "%", "\0"),
                                Arbitraries.of(65_536, 65_537, 32_768, 21_845, 16_384, 9))
                        .as(String::repeat);
        return Arbitraries.frequencyOf(Tuple.of(20, shortText()), Tuple.of(1, longText));
    }

    private static Arbitrary<String> shortText() {
        Arbitrary<String> any =
                Arbitraries.integers()
                        .between(0, Character.MAX_CODE_POINT)
                        .map(Character::toString);
        Arbitrary<String> special =
                Arbitraries.of(
                        "a", " ", "\n", "\r", "\r\n", "\0", "\t", "\u007f", "\u0085", "\u2028",
                        "\uFEFF", "\uFFFF", "😀", "\uD800", "\uDC00", "%", "+", "&", "=", "msg=",
                        "\"", "\\", "{", "data: ", "id: 1", "event", "message", "<b>");
        return Arbitraries.oneOf(special, special, any)
                .list()
                .ofMaxSize(12)
                .map(parts -> String.join("", parts));
    }

    private static Arbitrary<Optional<String>> optional(Arbitrary<String> values, double absent) {
        return values.optional(1 - absent);
    }

    /** The bytes of an HTTP/2 connection, as a client sends them (RFC 9113). */
    private static final class RawFrames {

        static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII);

        /** The methods, by their index in HPACK's static table (RFC 7541, appendix A). */
        static final byte GET = (byte) 0x82;

        static final byte POST = (byte) 0x83;

        private static final int HEADERS = 1;
        private static final int END_STREAM = 0x1;
        private static final int END_HEADERS = 0x4;
        private static final byte SCHEME_HTTP = (byte) 0x86;
        private static final byte PATH = 0x04;
        private static final byte AUTHORITY = 0x01;

        private RawFrames() {}

        /**
         * A frame (RFC 9113 §4.1).
         *
         * @param missing the number of bytes that the frame announces and does not contain
         */
        static byte[] frame(int type, byte flags, int streamId, byte[] payload, int missing) {
            return ByteBuffer.allocate(9 + payload.length)
                    .putInt(((payload.length + missing) << 8) | type)
                    .put(flags)
                    .putInt(streamId)
                    .put(payload)
                    .array();
        }

        /**
         * A HEADERS frame (RFC 9113 §6.2) of a request, in HPACK without compression.
         *
         * @param end whether the request has no body
         */
        static byte[] headers(boolean end, int streamId, byte method, String path) {
            var header = new ByteArrayOutputStream();
            header.writeBytes(new byte[] {method, SCHEME_HTTP, PATH, (byte) path.length()});
            header.writeBytes(path.getBytes(US_ASCII));
            header.writeBytes(new byte[] {AUTHORITY, 1, 'x'});
            int flags = end ? END_HEADERS | END_STREAM : END_HEADERS;
            return frame(HEADERS, (byte) flags, streamId, header.toByteArray(), 0);
        }
    }
}
