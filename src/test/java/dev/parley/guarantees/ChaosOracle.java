package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.SseReader.Event;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Knows what was acknowledged, and what each fault may have lost, and asserts what readers must
 * have received. It asks neither Parley nor Redis about epochs: what counts is which messages are
 * there at the end.
 *
 * <p>A message that Redis lost may be missing at a reader without a gap in one case only: Redis
 * went back in time before the reader had received it. Then no server knows that it ever was.
 */
final class ChaosOracle {

    /** A publish that was answered 200, and when it began and was answered. */
    private record Acknowledged(String text, String id, long began, long answered) {}

    /** A time in which messages may have been accepted that Redis lost by going back. */
    private record Window(long from, long to) {

        boolean touches(Acknowledged one) {
            return one.began() <= to && one.answered() >= from;
        }
    }

    private final Queue<Acknowledged> acknowledged = new ConcurrentLinkedQueue<>();
    private final List<Window> wentBack = new ArrayList<>();
    private final Set<String> lostWithTheLog = new HashSet<>();
    private final Set<String> publishedTwice = ConcurrentHashMap.newKeySet();
    private final Set<String> refused = new HashSet<>();
    private long lastAllLost = System.nanoTime();

    /** A publish was answered 200. */
    void onAcknowledged(String text, String id, long began) {
        acknowledged.add(new Acknowledged(text, id, began, System.nanoTime()));
    }

    int acknowledged() {
        return acknowledged.size();
    }

    /** Redis lost all that it had accepted, at some time until now. */
    void onAllLost() {
        lastAllLost = System.nanoTime();
    }

    /** Redis went back to what it had at this time; until now it may have accepted more. */
    void onWentBack(long to) {
        wentBack.add(new Window(to, System.nanoTime()));
    }

    /** These texts, and no others, were in a log that was lost while its count was kept. */
    void onLogLost(Collection<String> texts) {
        lostWithTheLog.addAll(texts);
    }

    /** The receipt of this text was lost, and it was published again. */
    void onPublishedTwice(String text) {
        publishedTwice.add(text);
    }

    /** A publish of this text was refused for good. */
    void onRefused(String text) {
        refused.add(text);
    }

    /**
     * @param kept all messages that are there at the end
     */
    void check(List<RoomEvents> readers, List<Event> kept) {
        assertThat(kept.stream().map(Event::id)).doesNotHaveDuplicates();
        assertOnce(kept);
        assertWhatWasNotLostIsKept(kept);
        assertNoIdHasTwoTexts(readers, kept);
        for (RoomEvents reader : readers) {
            RedisFaultBase.assertIdsAscend(reader.events());
            var received = new Received(reader.events());
            received.segments().forEach(this::assertOnce);
            assertThat(received.first().keySet()).as("%s", reader).containsAll(ids(kept));
            assertToldOfWhatItHad(received, ids(kept), reader);
            assertToldOfWhatItMissed(received, ids(kept), reader);
        }
    }

    /** What a reader received. */
    private record Received(
            Map<String, Integer> first,
            Map<String, String> texts,
            List<Integer> gaps,
            List<List<Event>> segments) {

        Received(List<Event> events) {
            this(new HashMap<>(), new HashMap<>(), new ArrayList<>(), new ArrayList<>());
            segments.add(new ArrayList<>());
            for (int i = 0; i < events.size(); i++) {
                Event event = events.get(i);
                if (event.type().equals("gap")) {
                    gaps.add(i);
                    segments.add(new ArrayList<>());
                } else if (event.type().equals("message")) {
                    first.putIfAbsent(event.id(), i);
                    texts.put(event.id(), event.data());
                    segments.get(segments.size() - 1).add(event);
                }
            }
        }

        boolean hasGapAfter(int index) {
            return !gaps.isEmpty() && gaps.get(gaps.size() - 1) > index;
        }
    }

    /** Asserts that each text is there under one id, and no refused one at all. */
    private void assertOnce(List<Event> messages) {
        assertThat(
                        messages.stream()
                                .map(Event::data)
                                .filter(text -> !publishedTwice.contains(text)))
                .doesNotHaveDuplicates()
                .noneMatch(refused::contains);
    }

    /** Each fault says what it may have lost; all else that was acknowledged must be there. */
    private void assertWhatWasNotLostIsKept(List<Event> kept) {
        assertThat(kept.stream().map(Event::data).toList())
                .containsAll(
                        acknowledged.stream()
                                .filter(one -> !mayBeLost(one))
                                .map(Acknowledged::text)
                                .toList());
    }

    private boolean mayBeLost(Acknowledged one) {
        return one.began() <= lastAllLost
                || wentBack.stream().anyMatch(window -> window.touches(one))
                || lostWithTheLog.contains(one.text());
    }

    private void assertNoIdHasTwoTexts(List<RoomEvents> readers, List<Event> kept) {
        List<Event> all = new ArrayList<>(kept);
        readers.forEach(reader -> all.addAll(reader.messages()));
        acknowledged.forEach(one -> all.add(new Event(one.id(), "message", one.text())));
        RoomEvents.assertOneTextEach(all);
    }

    /** A reader that had what is gone got a gap, unless only the log was lost and not its count. */
    private void assertToldOfWhatItHad(Received received, Set<String> kept, RoomEvents reader) {
        received.first()
                .forEach(
                        (id, index) ->
                                assertThat(
                                                kept.contains(id)
                                                        || lostWithTheLog.contains(
                                                                received.texts().get(id))
                                                        || received.hasGapAfter(index))
                                        .as("a gap after the lost %s%n%s", id, reader)
                                        .isTrue());
    }

    /** A reader that never had what is gone got a gap after what was acknowledged before that. */
    private void assertToldOfWhatItMissed(Received received, Set<String> kept, RoomEvents reader) {
        for (Acknowledged one : acknowledged) {
            if (!received.first().containsKey(one.id())
                    && !kept.contains(one.id())
                    && wentBack.stream().noneMatch(window -> window.touches(one))) {
                int before =
                        acknowledged.stream()
                                .filter(other -> other.answered() < one.began())
                                .map(other -> received.first().getOrDefault(other.id(), -1))
                                .reduce(-1, Math::max);
                assertThat(received.hasGapAfter(before))
                        .as("a gap for the missed %s%n%s", one, reader)
                        .isTrue();
            }
        }
    }

    private static Set<String> ids(List<Event> messages) {
        Set<String> ids = new HashSet<>();
        messages.forEach(message -> ids.add(message.id()));
        return ids;
    }
}
