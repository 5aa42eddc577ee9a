package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.guarantees.Submissions.Form;
import dev.parley.guarantees.Submissions.Submission;
import dev.parley.guarantees.Submissions.Words;
import dev.parley.testsupport.RedisServer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.PropertyDefaults;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeContainer;

/**
 * Whatever is sent, a pod answers, never with an error of its own, says what was wrong, writes
 * nothing into its log, and goes on serving: a reader gets what was accepted, and nothing else. In
 * memory and on Redis the answers are the same.
 *
 * <p>{@code -Dfuzz.tries=20000} tries longer.
 */
@PropertyDefaults(edgeCases = EdgeCasesMode.NONE)
class FuzzIT {

    private static final String PLAIN_ACCEPT =
            "Accept: application/[a-z+]+(;q=[0-9.]+(, \\*/\\*;q=0)?)?";

    private static RedisServer redis;
    private static FuzzedPod memory;
    private static FuzzedPod shared;

    @BeforeContainer
    static void start() {
        redis = RedisServer.start();
        memory = new FuzzedPod(Pods.steady().start());
        shared = new FuzzedPod(Pods.steady().redis(redis.uri()).start());
    }

    @AfterContainer
    static void stop() {
        memory.close();
        shared.close();
        redis.close();
    }

    @AfterProperty
    void othersAreServed() {
        for (FuzzedPod pod : List.of(memory, shared)) {
            pod.checkReader();
            pod.checkLog();
        }
    }

    @Property
    void submission_isReceivedAsItWasMeant_orRefused(@ForAll("submissions") Submission given) {
        RawRequest request = given.request();

        for (FuzzedPod pod : List.of(memory, shared)) {
            RawAnswer answer = pod.exchange(request);
            if (given.isOrdinary() && request.hasUri()) {
                assertThat(answer.status()).as(answer.text()).isEqualTo(200);
            }
            if (answer.status() == 200) {
                checkReceived(given, pod, answer);
            }
        }
    }

    private static void checkReceived(Submission given, FuzzedPod pod, RawAnswer answer) {
        var event = pod.received(answer);
        assertThat(event.isPresent()).isEqualTo(given.room().equals(Optional.of(FuzzedPod.ROOM)));
        if (event.isPresent() && !given.isReadAsForm() && !repeats(given)) {
            assertThat(event.get().data()).isEqualTo(given.received());
            String type = given.event().filter(name -> !name.isEmpty()).orElse("message");
            assertThat(event.get().type()).isEqualTo(type);
        }
    }

    private static boolean repeats(Submission given) {
        return given.headers().stream().anyMatch(line -> line.startsWith("Idempotency-Key:"));
    }

    @Property
    void publishRequest_isAnswered(@ForAll("publishRequests") RawRequest request) {
        exchangeWithBoth(request);
    }

    @Property
    void subscription_isAnswered(@ForAll("subscriptions") RawRequest request) {
        exchangeWithBoth(request);
    }

    @Property
    void historyRequest_isAnswered(@ForAll("historyRequests") RawRequest request) {
        exchangeWithBoth(request);
    }

    @Property
    void anyMethodAndPath_isAnswered(@ForAll("otherRequests") RawRequest request) {
        exchangeWithBoth(request);
    }

    @Property
    void damagedRequest_harmsNobody(
            @ForAll("anyRequests") RawRequest request,
            @ForAll @Size(min = 1, max = 4) List<Integer> places,
            @ForAll byte written,
            @ForAll @IntRange(max = 3) int how) {
        byte[] bytes = damaged(request.bytes(), places, written, how);

        for (FuzzedPod pod : List.of(memory, shared)) {
            try {
                pod.exchange(bytes);
            } catch (AssertionError e) {
                throw new AssertionError(RawRequest.printable(bytes), e);
            }
        }
    }

    private static void exchangeWithBoth(RawRequest request) {
        RawAnswer one = memory.exchange(request);
        RawAnswer other = shared.exchange(request);
        assertThat(other.status()).as(other.text()).isEqualTo(one.status());
    }

    /** Overwrites bytes, removes them, doubles them, or cuts the end off. */
    private static byte[] damaged(byte[] bytes, List<Integer> places, byte written, int how) {
        byte[] damaged = bytes;
        for (int place : places) {
            int at = Math.floorMod(place, damaged.length);
            byte[] rest =
                    Arrays.copyOfRange(damaged, Math.min(at + 1, damaged.length), damaged.length);
            byte[] before = Arrays.copyOf(damaged, at);
            damaged =
                    switch (how) {
                        case 0 -> joined(before, new byte[] {written}, rest);
                        case 1 -> joined(before, rest);
                        case 2 -> joined(before, new byte[] {damaged[at], damaged[at]}, rest);
                        default -> joined(before, new byte[] {damaged[at]});
                    };
            damaged = damaged.length == 0 ? bytes : damaged;
        }
        return damaged;
    }

    private static byte[] joined(byte[]... parts) {
        byte[] whole = new byte[Arrays.stream(parts).mapToInt(part -> part.length).sum()];
        int at = 0;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, whole, at, part.length);
            at += part.length;
        }
        return whole;
    }

    // What is tried.

    @Provide
    Arbitrary<Submission> submissions() {
        Arbitrary<Optional<String>> msg = optional(texts(), 0.03);
        Arbitrary<Optional<String>> room =
                Arbitraries.frequencyOf(
                        Tuple.of(8, Arbitraries.just(Optional.of(FuzzedPod.ROOM))),
                        Tuple.of(1, optional(shortTexts(), 0.5)));
        Arbitrary<Optional<String>> other = optional(shortTexts(), 0.8);
        Arbitrary<String> more =
                Arbitraries.of("", "", "&", "&&=&", "&msg=again", "&room=x&room=y", "&a", "&=");
        Arbitrary<Words> words = Combinators.combine(msg, room, other, other).as(Words::new);
        return Combinators.combine(
                        Arbitraries.of(Form.class),
                        words,
                        Arbitraries.of(true, false),
                        more,
                        Arbitraries.of(0, 0, 0, 1, 7, 1000),
                        headers().list().ofMaxSize(3).map(FuzzIT::withoutNonsense))
                .as(
                        (form, said, escaping, rest, chunk, headers) ->
                                new Submission(form, said, escaping, rest, chunk, headers));
    }

    /** Headers that refuse the request as a whole are for {@link #publishRequests}. */
    private static List<String> withoutNonsense(List<String> headers) {
        return headers.stream()
                .filter(line -> !line.startsWith("Accept:") || line.matches(PLAIN_ACCEPT))
                .filter(line -> !line.startsWith("Content-Type:"))
                .filter(line -> line.matches("(?!Idempotency-Key).*|Idempotency-Key: [!-~]{1,128}"))
                .toList();
    }

    @Provide
    Arbitrary<RawRequest> publishRequests() {
        Arbitrary<String> body =
                Arbitraries.oneOf(
                        Arbitraries.strings().withCharRange('\0', '\u00ff').ofMaxLength(200),
                        pieces(
                                "{",
                                "}",
                                "[",
                                "]",
                                "\"",
                                "msg",
                                "\"msg\"",
                                ":",
                                ",",
                                "\\u",
                                "d800",
                                "null",
                                "1e999",
                                "true",
                                "room",
                                "=",
                                "&",
                                "%",
                                "%00",
                                "%zz",
                                "%ff",
                                "hi",
                                "\\",
                                " ",
                                "\r\n",
                                "\0",
                                "\u00c3\u00a9",
                                "\u00e9",
                                "[[[[[[[[[[[[[[[[",
                                "-",
                                "0",
                                "event",
                                "from"));
        return Combinators.combine(
                        Arbitraries.of("/send", "/send?", "/send/").flatMap(FuzzIT::withQuery),
                        headers().list().ofMaxSize(5),
                        body,
                        Arbitraries.of(0, 0, 1, 5))
                .as(
                        (target, headers, text, chunk) ->
                                new RawRequest("POST", target, headers, text, chunk));
    }

    @Provide
    Arbitrary<RawRequest> subscriptions() {
        return Combinators.combine(
                        Arbitraries.of("/events", "/events?", "/events/")
                                .flatMap(FuzzIT::withQuery),
                        headers().list().ofMaxSize(4))
                .as((target, headers) -> get("GET", target, headers));
    }

    @Provide
    Arbitrary<RawRequest> historyRequests() {
        Arbitrary<String> room =
                Arbitraries.oneOf(
                        Arbitraries.of("lobby", FuzzedPod.ROOM, "a".repeat(64), "a".repeat(3000)),
                        pieces(
                                "a", ".", "..", "%2f", "%2F", "/", "%00", "%2e", "%5c", ";a=b", ";",
                                "%25", "%ff", "%zz", "é", "-", "_", "{a}", "+", "%20", "*",
                                "%0d%0a"));
        return Combinators.combine(
                        room.map(name -> "/rooms/" + name + "/messages").flatMap(FuzzIT::withQuery),
                        headers().list().ofMaxSize(3))
                .as((target, headers) -> get("GET", target, headers));
    }

    @Provide
    Arbitrary<RawRequest> otherRequests() {
        Arbitrary<String> path =
                pieces(
                                "/",
                                "/",
                                "send",
                                "events",
                                "rooms",
                                "messages",
                                "lobby",
                                "q",
                                "health",
                                "index.html",
                                "chat.js",
                                "..",
                                ".",
                                "%2e%2e",
                                "%2f",
                                "%00",
                                "%5c",
                                "*",
                                ";x",
                                "é",
                                "%",
                                "~",
                                "a",
                                "META-INF",
                                "{room}")
                        .map(rest -> "/" + rest);
        return Combinators.combine(
                        Arbitraries.of(
                                "GET",
                                "HEAD",
                                "POST",
                                "PUT",
                                "DELETE",
                                "PATCH",
                                "OPTIONS",
                                "TRACE",
                                "BREW",
                                "get",
                                "PROPFIND"),
                        path.flatMap(FuzzIT::withQuery),
                        headers().list().ofMaxSize(3))
                .as((method, target, headers) -> get(method, target, headers));
    }

    @Provide
    Arbitrary<RawRequest> anyRequests() {
        return Arbitraries.oneOf(
                subscriptions(), historyRequests(), otherRequests(), publishRequests());
    }

    private static RawRequest get(String method, String target, List<String> headers) {
        return new RawRequest(method, target, headers, "", 0);
    }

    private static Arbitrary<String> withQuery(String path) {
        Arbitrary<String> name =
                Arbitraries.of(
                        "msg",
                        "room",
                        "from",
                        "event",
                        "format",
                        "history",
                        "lastEventId",
                        "limit",
                        "before",
                        "after",
                        "",
                        "é",
                        "%00");
        Arbitrary<String> value =
                Arbitraries.oneOf(
                        Arbitraries.of(
                                "",
                                "a",
                                "lobby",
                                "json",
                                "text",
                                "0",
                                "1",
                                "500",
                                "501",
                                "-1",
                                "x-1",
                                "k3f9-42",
                                "a-999999999999999999",
                                "a-9999999999999999999",
                                "0-0",
                                "999999999999",
                                "%0a",
                                "%00",
                                "%ff",
                                "%c3%28",
                                "%zz",
                                "%",
                                "+",
                                "é",
                                "goodbye",
                                "%ed%a0%80",
                                "a".repeat(200),
                                "a".repeat(5000)),
                        pieces("a", "%20", "%e2%98%83", "=", "?", "/", ";", "\"", "<", "|", "'"));
        return Combinators.combine(name, value)
                .as((n, v) -> n + "=" + v)
                .list()
                .ofMaxSize(5)
                .map(fields -> fields.isEmpty() ? path : joinQuery(path, fields));
    }

    private static String joinQuery(String path, List<String> fields) {
        return path + (path.endsWith("?") ? "" : "?") + String.join("&", fields);
    }

    /** Header lines, with values that mean something, that look like it, and that mean nothing. */
    private static Arbitrary<String> headers() {
        Arbitrary<String> nonsense =
                pieces(
                        "a",
                        "/",
                        "*",
                        "*/*",
                        ";",
                        ";q=",
                        ";q=0",
                        ",",
                        "=",
                        "\"",
                        "\\",
                        " ",
                        "\t",
                        "application/json",
                        "text/plain",
                        "text/event-stream",
                        "charset",
                        "utf-16",
                        "é",
                        "\u00ff",
                        "-",
                        "1",
                        "0",
                        "999999999999999999999",
                        "(",
                        ":",
                        "@");
        Arbitrary<String> accept =
                Arbitraries.oneOf(
                        Arbitraries.of(
                                "application/json",
                                "application/json;q=0",
                                "text/event-stream",
                                "application/problem+json",
                                "application/json;q=0.001, */*;q=0"),
                        nonsense);
        Arbitrary<String> type =
                Arbitraries.oneOf(
                        Arbitraries.of(
                                "application/json",
                                "text/plain",
                                "application/json;charset=x",
                                "application/x-www-form-urlencoded",
                                "multipart/form-data",
                                "multipart/form-data; boundary=x",
                                "text/plain, text/plain"),
                        nonsense);
        return Arbitraries.oneOf(
                accept.map(value -> "Accept: " + value),
                type.map(value -> "Content-Type: " + value),
                nonsense.map(value -> "Idempotency-Key: " + value),
                Arbitraries.strings()
                        .withCharRange('!', '~')
                        .ofLength(2)
                        .map(value -> "Idempotency-Key: " + value),
                Arbitraries.oneOf(nonsense, Arbitraries.of("x-1", "a".repeat(3000)))
                        .map(value -> "Last-Event-ID: " + value),
                Arbitraries.of(
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
                        "TE: trailers"),
                nonsense.map(value -> "X-Any: " + value));
    }

    private static Arbitrary<String> texts() {
        return Arbitraries.frequencyOf(
                Tuple.of(20, shortTexts()),
                Tuple.of(
                        1,
                        Combinators.combine(
                                        Arbitraries.of("a", "é", "€", "😀", "\r\n", "%", "\0"),
                                        Arbitraries.of(65_536, 65_537, 32_768, 21_845, 16_384, 9))
                                .as(String::repeat)));
    }

    private static Arbitrary<String> shortTexts() {
        Arbitrary<String> any =
                Arbitraries.integers()
                        .between(0, Character.MAX_CODE_POINT)
                        .map(Character::toString);
        Arbitrary<String> telling =
                Arbitraries.of(
                        "a", " ", "\n", "\r", "\r\n", "\0", "\t", "\u007f", "\u0085", "\u2028",
                        "\uFEFF", "\uFFFF", "😀", "\uD800", "\uDC00", "%", "+", "&", "=", "msg=",
                        "\"", "\\", "{", "data: ", "id: 1", "event", "message", "<b>");
        return Arbitraries.oneOf(telling, telling, any)
                .list()
                .ofMaxSize(12)
                .map(parts -> String.join("", parts));
    }

    private static Arbitrary<Optional<String>> optional(Arbitrary<String> values, double absent) {
        return values.optional(1 - absent);
    }

    private static Arbitrary<String> pieces(String... pieces) {
        return Arbitraries.of(pieces).list().ofMaxSize(8).map(parts -> String.join("", parts));
    }
}
