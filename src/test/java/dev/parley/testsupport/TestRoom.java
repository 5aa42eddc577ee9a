package dev.parley.testsupport;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A room that only one test uses: publishes messages to it and opens readers of it. */
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

    /** A new room at this pod, without messages. */
    public static TestRoom newAt(ParleyProcess pod, Http http) {
        return newAt(pod, http, "room-");
    }

    /** A new room whose name begins like this. */
    public static TestRoom newAt(ParleyProcess pod, Http http, String prefix) {
        return new TestRoom(pod, http, prefix + NUMBER.incrementAndGet());
    }

    /** The same room at another pod. */
    public TestRoom at(ParleyProcess other) {
        return new TestRoom(other, new Http(other.uri()), name);
    }

    public String name() {
        return name;
    }

    /** Publishes a message and returns its id. */
    public String publish(String text) {
        Http.Answer answer = http.sendForm(text, "room", name);
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        return answer.header("Event-Id");
    }

    /** Publishes the texts first … last and returns their ids. */
    public List<String> publishNumbers(int first, int last) {
        return numbers(first, last).stream().map(this::publish).toList();
    }

    /** The texts first … last. */
    public static List<String> numbers(int first, int last) {
        return IntStream.rangeClosed(first, last).mapToObj(Integer::toString).toList();
    }

    /** The texts of these lists, one list after the other. */
    @SafeVarargs
    public static List<String> concat(List<String>... lists) {
        return Stream.of(lists).flatMap(List::stream).toList();
    }

    /** A page of the history; the query begins with a question mark or is empty. */
    public Http.Answer history(String query) {
        return http.get("/rooms/" + name + "/messages" + query);
    }

    /**
     * Starts building a reader.
     *
     * @param query further query fields, such as {@code "history=3"}
     */
    public SseReader.Builder reader(String... query) {
        String more = query.length == 0 ? "" : "&" + String.join("&", query);
        return SseReader.to(pod.uri("/events?room=" + name + more)).recordRaw(RAW_BYTES);
    }

    /** Opens a reader and waits until it knows its position in the room. */
    public SseReader subscribe(String... query) {
        return reader(query).open().awaitConnected().awaitLastEventId();
    }

    /** Opens a reader that resumes after this id, and does not wait for it. */
    public SseReader resume(String id) {
        return reader().lastEventId(id).open();
    }
}
