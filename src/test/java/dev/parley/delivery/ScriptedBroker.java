package dev.parley.delivery;

import dev.parley.broker.Broker;
import dev.parley.broker.BrokerState;
import dev.parley.broker.BrokerUnavailable;
import dev.parley.broker.Page;
import dev.parley.broker.PublishRequest;
import dev.parley.broker.Range;
import dev.parley.broker.Receipt;
import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import io.smallrye.mutiny.Uni;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.stream.Stream;

/**
 * A broker of one room that does what the test says: what it stores and what it delivers are two
 * things, it loses what it is told to lose, and it answers when it is told to.
 */
final class ScriptedBroker implements Broker {

    static final Room ROOM = new Room("room");

    private final List<StoredMessage> log = new ArrayList<>();
    private final List<String> endedEpochs = new ArrayList<>();
    private final Queue<Runnable> held = new ArrayDeque<>();
    private Listener listener = new Unheard();
    private String epoch = "epoch0";
    private long newest;
    private int epochs;
    private int texts;
    private int reads;
    private boolean holding;
    private boolean away;
    private boolean stranger;

    // What a test sees.

    synchronized String epoch() {
        return epoch;
    }

    synchronized long newest() {
        return newest;
    }

    synchronized long oldest() {
        return log.isEmpty() ? newest + 1 : log.get(0).offset();
    }

    synchronized List<StoredMessage> log() {
        return List.copyOf(log);
    }

    synchronized EventId id(long offset) {
        return new EventId(epoch, offset);
    }

    synchronized int reads() {
        return reads;
    }

    synchronized List<String> endedEpochs() {
        return List.copyOf(endedEpochs);
    }

    // What a test does.

    /** Stores a message that no two tests or lives of the log have twice. */
    synchronized StoredMessage store() {
        newest++;
        texts++;
        var message = Message.of(ROOM, "text" + texts, Instant.ofEpochMilli(texts));
        var stored = new StoredMessage(new EventId(epoch, newest), message);
        log.add(stored);
        return stored;
    }

    void deliver(StoredMessage message) {
        listener.received(message);
    }

    /** Stores and delivers so many messages. */
    void say(int count) {
        for (int i = 0; i < count; i++) {
            deliver(store());
        }
    }

    void sayPlain(String text) {
        listener.receivedPlain(text);
    }

    /** Stores messages that are not delivered: publish/subscribe drops them. */
    void drop(int count) {
        for (int i = 0; i < count; i++) {
            store();
        }
    }

    void rejoin() {
        listener.rejoined();
    }

    /** Forgets the oldest messages, as retention does. */
    synchronized void trim(int count) {
        log.subList(0, Math.min(count, log.size())).clear();
    }

    /** Forgets one message in the midst of others. */
    synchronized void delete(long offset) {
        log.removeIf(message -> message.offset() == offset);
    }

    /** Forgets the newest messages and their offsets, as a replica does that lagged. */
    synchronized void lose(int count) {
        int kept = Math.max(0, log.size() - count);
        newest -= log.size() - kept;
        log.subList(kept, log.size()).clear();
    }

    /** Forgets everything, the epoch included. */
    synchronized void loseAll() {
        log.clear();
        newest = 0;
        epoch = "epoch" + ++epochs;
    }

    /** The next question is answered by another broker, which is empty. */
    synchronized void letAStrangerAnswerOnce() {
        stranger = true;
    }

    /** Fails every call from now on. */
    synchronized void away() {
        away = true;
    }

    synchronized void back() {
        away = false;
    }

    /** Keeps answers back, though it reads at once. */
    synchronized void hold() {
        holding = true;
    }

    /** Gives the oldest answer that was kept back, if there is one. */
    void answer() {
        Runnable answer;
        synchronized (this) {
            answer = held.poll();
        }
        if (answer != null) {
            answer.run();
        }
    }

    /** Gives all answers that were kept back, and keeps back no more. */
    void release() {
        synchronized (this) {
            holding = false;
        }
        while (isHeld()) {
            answer();
        }
    }

    // What the hub does.

    @Override
    public Uni<Page> read(Room room, Range range) {
        return Uni.createFrom()
                .emitter(
                        emitter -> {
                            Page page;
                            synchronized (this) {
                                reads++;
                                if (away) {
                                    emitter.fail(new BrokerUnavailable("away"));
                                    return;
                                }
                                page = stranger ? strangersPage() : page(range);
                                stranger = false;
                                if (holding) {
                                    held.add(() -> emitter.complete(page));
                                    return;
                                }
                            }
                            emitter.complete(page);
                        });
    }

    @Override
    public Uni<Void> endEpoch(Room room, String ended) {
        return Uni.createFrom().voidItem().invoke(() -> end(ended));
    }

    @Override
    public void listen(Listener added) {
        listener = added;
        added.rejoined();
    }

    @Override
    public Uni<Receipt> publish(PublishRequest publication) {
        throw new UnsupportedOperationException("the test says what is stored");
    }

    @Override
    public synchronized BrokerState state() {
        return away ? new BrokerState.Down("away") : new BrokerState.Up();
    }

    private synchronized boolean isHeld() {
        return !held.isEmpty();
    }

    private synchronized void end(String ended) {
        endedEpochs.add(ended);
        if (ended.equals(epoch)) {
            epoch = "epoch" + ++epochs;
            log.replaceAll(m -> new StoredMessage(new EventId(epoch, m.offset()), m.message()));
        }
    }

    private static Page strangersPage() {
        return new Page("strange", 1, 0, List.of());
    }

    private Page page(Range range) {
        List<StoredMessage> selected;
        if (range instanceof Range.After after) {
            selected = first(log.stream().filter(m -> m.offset() > after.offset()), range);
        } else {
            long before = ((Range.Before) range).offset();
            List<StoredMessage> reversed = new ArrayList<>(log);
            Collections.reverse(reversed);
            selected = first(reversed.stream().filter(m -> m.offset() < before), range);
            Collections.reverse(selected);
        }
        return new Page(epoch, oldest(), newest, selected);
    }

    private static List<StoredMessage> first(Stream<StoredMessage> messages, Range range) {
        return new ArrayList<>(messages.limit(range.limit()).toList());
    }

    private static final class Unheard implements Listener {

        @Override
        public void received(StoredMessage message) {}

        @Override
        public void receivedPlain(String text) {}

        @Override
        public void rejoined() {}
    }
}
