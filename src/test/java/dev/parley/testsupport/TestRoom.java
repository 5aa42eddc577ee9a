package dev.parley.testsupport;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/** A room of a test's own: what is said in it, and who listens. */
public final class TestRoom {

    private static final AtomicInteger NUMBER = new AtomicInteger();
    private static final int RAW_BYTES = 64 * 1024;

    private final ParleyProcess pod;
    private final Http http;
    private final String name;

    private TestRoom(ParleyProcess pod, Http http, String name) {
        this.pod = pod;
        this.http = http;
        this.name = name;
    }

    /** A room at this pod in which nothing was said yet. */
    public static TestRoom newAt(ParleyProcess pod, Http http) {
        return new TestRoom(pod, http, "room-" + NUMBER.incrementAndGet());
    }

    /** The same room at another pod. */
    public TestRoom at(ParleyProcess other) {
        return new TestRoom(other, new Http(other.uri()), name);
    }

    public String name() {
        return name;
    }

    /** Says this; the answer is its id. */
    public String say(String text) {
        Http.Answer answer = http.sendForm(text, "room", name);
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        return answer.header("Event-Id");
    }

    /** Says first … last; the answer is their ids. */
    public List<String> sayNumbers(int first, int last) {
        return numbers(first, last).stream().map(this::say).toList();
    }

    /** The texts first … last. */
    public static List<String> numbers(int first, int last) {
        return IntStream.rangeClosed(first, last).mapToObj(Integer::toString).toList();
    }

    /** A page of what was said; the query begins with a question mark or is empty. */
    public Http.Answer history(String query) {
        return http.get("/rooms/" + name + "/messages" + query);
    }

    /**
     * A reader to be.
     *
     * @param query further fields, such as {@code "history=3"}
     */
    public SseReader.Builder reader(String... query) {
        String more = query.length == 0 ? "" : "&" + String.join("&", query);
        return SseReader.to(pod.uri("/events?room=" + name + more)).recordRaw(RAW_BYTES);
    }

    /** A reader that has its place in the room. */
    public SseReader subscribe(String... query) {
        return reader(query).open().awaitConnected().awaitLastEventId();
    }

    /** A reader that comes back with this id; does not wait for it. */
    public SseReader resume(String id) {
        return reader().lastEventId(id).open();
    }
}
