package dev.parley.guarantees;

import static dev.parley.guarantees.RequestParts.header;
import static dev.parley.guarantees.RequestParts.joined;
import static dev.parley.guarantees.RequestParts.oneOf;
import static dev.parley.guarantees.RequestParts.optional;
import static dev.parley.guarantees.RequestParts.shortText;
import static dev.parley.guarantees.RequestParts.text;
import static dev.parley.guarantees.RequestParts.withQuery;

import dev.parley.guarantees.Submissions.Form;
import dev.parley.guarantees.Submissions.Submission;
import dev.parley.guarantees.Submissions.Words;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;

/** Requests of every kind, sensible ones and others. */
final class GeneratedRequests {

    private static final String PLAIN_ACCEPT =
            "Accept: application/[a-z+]+(;q=[0-9.]+(, \\*/\\*;q=0)?)?";

    private GeneratedRequests() {}

    /** Publish requests that are well formed, whatever they say. */
    static Arbitrary<Submission> submissions() {
        return Combinators.combine(
                        Arbitraries.of(Form.class),
                        words(),
                        Arbitraries.of(true, false),
                        Arbitraries.of(
                                "",
                                "",
                                "&",
                                "&&=&",
                                "&msg=" + Submissions.AGAIN,
                                "&room=x&room=y",
                                "&a",
                                "&="),
                        Arbitraries.of(0, 0, 0, 1, 7, 1000),
                        header().list().ofMaxSize(3).map(GeneratedRequests::withoutNonsense))
                .as(Submission::new);
    }

    private static Arbitrary<Words> words() {
        Arbitrary<Optional<String>> room =
                Arbitraries.frequencyOf(
                        Tuple.of(8, Arbitraries.just(Optional.of(FuzzedPod.ROOM))),
                        Tuple.of(1, optional(shortText(), 0.5)));
        return Combinators.combine(
                        optional(text(), 0.03),
                        room,
                        optional(shortText(), 0.8),
                        optional(shortText(), 0.8))
                .as(Words::new);
    }

    /** Headers that refuse the request as a whole are for {@link #publishRequests}. */
    private static List<String> withoutNonsense(List<String> headers) {
        return headers.stream()
                .filter(line -> !line.startsWith("Accept:") || line.matches(PLAIN_ACCEPT))
                .filter(line -> !line.startsWith("Content-Type:"))
                .filter(line -> line.matches("(?!Idempotency-Key).*|Idempotency-Key: [!-~]{1,128}"))
                .toList();
    }

    /** Publish requests that may be anything. */
    static Arbitrary<RawRequest> publishRequests() {
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
                                new RawRequest("POST", target, headers, text, chunk));
    }

    static Arbitrary<RawRequest> subscriptions() {
        return withoutBody(
                Arbitraries.just("GET"), withQuery(oneOf("/events /events? /events/")), 4);
    }

    static Arbitrary<RawRequest> historyRequests() {
        Arbitrary<String> room =
                Arbitraries.oneOf(
                        Arbitraries.of("lobby", FuzzedPod.ROOM, "a".repeat(64), "a".repeat(3000)),
                        joined(
                                "a . .. / %2f %2F %00 %2e %5c ; ;a=b %25 %ff %zz é - _ {a} + %20 *"
                                        + " %0d%0a"));
        return withoutBody(
                Arbitraries.just("GET"),
                withQuery(room.map(name -> "/rooms/" + name + "/messages")),
                3);
    }

    /** Any method and path. */
    static Arbitrary<RawRequest> otherRequests() {
        Arbitrary<String> path =
                joined(
                        "/ / send events rooms messages lobby {room} q health index.html chat.js"
                                + " META-INF a . .. %2e%2e %2f %00 %5c % * ;x é ~");
        return withoutBody(
                oneOf("GET HEAD POST PUT DELETE PATCH OPTIONS TRACE BREW get PROPFIND"),
                withQuery(path.map(rest -> "/" + rest)),
                3);
    }

    /** All of these, submissions aside. */
    static Arbitrary<RawRequest> anyRequests() {
        return Arbitraries.oneOf(
                subscriptions(),
                historyRequests(),
                otherRequests(),
                publishRequests(),
                clockRequests());
    }

    /** Of a stream that the framework makes. */
    private static Arbitrary<RawRequest> clockRequests() {
        return withoutBody(Arbitraries.just("GET"), Arbitraries.just("/clock"), 3);
    }

    private static Arbitrary<RawRequest> withoutBody(
            Arbitrary<String> method, Arbitrary<String> target, int maxHeaders) {
        return Combinators.combine(method, target, header().list().ofMaxSize(maxHeaders))
                .as((verb, path, headers) -> new RawRequest(verb, path, headers, "", 0));
    }
}
