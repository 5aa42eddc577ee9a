package dev.parley.guarantees;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;

/**
 * What generated requests are made of: pieces that mean something, that look like it, and that mean
 * nothing.
 */
final class RequestParts {

    private RequestParts() {}

    /**
     * One of these.
     *
     * @param words stand between spaces
     * @param more what has spaces in it, or nothing at all, or is too long to be written
     */
    static Arbitrary<String> oneOf(String words, String... more) {
        List<String> all = new ArrayList<>(List.of(words.split(" ")));
        all.addAll(List.of(more));
        return Arbitraries.of(all);
    }

    /** Some of these, in any order, with nothing between them. */
    static Arbitrary<String> joined(String words, String... more) {
        return oneOf(words, more).list().ofMaxSize(8).map(parts -> String.join("", parts));
    }

    /** A path, with or without a query behind it. */
    static Arbitrary<String> withQuery(Arbitrary<String> path) {
        return Combinators.combine(path, queryField().list().ofMaxSize(5))
                .as(RequestParts::withFields);
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
        Arbitrary<String> telling =
                oneOf(
                        "a lobby json text goodbye 0 1 500 501 -1 999999999999 x-1 k3f9-42 0-0"
                                + " a-999999999999999999 a-9999999999999999999"
                                + " %0a %00 %ff %c3%28 %ed%a0%80 %zz % + é",
                        "", "a".repeat(200), "a".repeat(5000));
        Arbitrary<String> any = joined("a %20 %e2%98%83 = ? / ; \" < | '");
        Arbitrary<String> value = Arbitraries.oneOf(telling, any);
        return Combinators.combine(name, value).as((n, v) -> n + "=" + v);
    }

    /** A whole line. */
    static Arbitrary<String> header() {
        return Arbitraries.oneOf(
                Arbitraries.oneOf(accepted(), nonsense()).map(value -> "Accept: " + value),
                Arbitraries.oneOf(types(), nonsense()).map(value -> "Content-Type: " + value),
                Arbitraries.oneOf(shortKey(), nonsense()).map(value -> "Idempotency-Key: " + value),
                Arbitraries.oneOf(Arbitraries.of("x-1", "a".repeat(3000)), nonsense())
                        .map(value -> "Last-Event-ID: " + value),
                nonsense().map(value -> "X-Any: " + value),
                rareHeader());
    }

    private static Arbitrary<String> accepted() {
        return Arbitraries.of(
                "application/json",
                "application/json;q=0",
                "text/event-stream",
                "application/problem+json",
                "application/json;q=0.001, */*;q=0");
    }

    private static Arbitrary<String> types() {
        return Arbitraries.of(
                "application/json",
                "text/plain",
                "application/json;charset=x",
                "application/x-www-form-urlencoded",
                "multipart/form-data",
                "multipart/form-data; boundary=x",
                "text/plain, text/plain");
    }

    /** So short that some come twice. */
    private static Arbitrary<String> shortKey() {
        return Arbitraries.strings().withCharRange('!', '~').ofLength(2);
    }

    private static Arbitrary<String> nonsense() {
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

    /** What somebody may want to say, which is about the limit now and then. */
    static Arbitrary<String> text() {
        Arbitrary<String> longOne =
                Combinators.combine(
                                Arbitraries.of("a", "é", "€", "😀", "\r\n", "%", "\0"),
                                Arbitraries.of(65_536, 65_537, 32_768, 21_845, 16_384, 9))
                        .as(String::repeat);
        return Arbitraries.frequencyOf(Tuple.of(20, shortText()), Tuple.of(1, longOne));
    }

    static Arbitrary<String> shortText() {
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

    static Arbitrary<Optional<String>> optional(Arbitrary<String> values, double absent) {
        return values.optional(1 - absent);
    }
}
