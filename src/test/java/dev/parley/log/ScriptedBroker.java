package dev.parley.log;

import dev.parley.broker.Broker;
import dev.parley.broker.Broker.PublishRequest;
import dev.parley.broker.Broker.Receipt;
import dev.parley.broker.BrokerState;
import dev.parley.broker.BrokerUnavailable;
import dev.parley.broker.HistoryBounds;
import dev.parley.broker.Lineage;
import dev.parley.broker.Page;
import dev.parley.broker.Range;
import dev.parley.broker.RoomListeners;
import dev.parley.broker.TestPages;
import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A broker of one room that a test controls: it can store a message without delivering it, lose
 * messages, be unavailable, and hold back its answers.
 */
public final class ScriptedBroker implements Broker {

    public static final Room ROOM = new Room("room");

    private final List<StoredMessage> log = new ArrayList<>();
    private final List<String> endedEpochs = new ArrayList<>();
    private final Queue<Held> held = new ArrayDeque<>();
    private final RoomListeners listeners = new RoomListeners();
    private final Room room;
    private final String epochs;
    private String epoch;
    private long newest;
    private int epochCount;
    private int texts;
    private int reads;
    private Instant now = Instant.EPOCH;
    private HistoryBounds bounds = new HistoryBounds(10_000, 16 << 20, Duration.ofHours(24));
    private boolean holding;
    private boolean away;
    private boolean empty;
    private volatile boolean refusingWrites;

    /** An answer that is held back. */
    private record Held(Runnable answer, Runnable failure) {}

    public ScriptedBroker() {
        this(ROOM, "epoch");
    }

    /**
     * @param epochs the name that the epochs have before their number
     */
    public ScriptedBroker(Room room, String epochs) {
        this.room = room;
        this.epochs = epochs;
        this.epoch = epochs + epochCount;
    }

    // What a test can see.

    public synchronized String epoch() {
        return epoch;
    }

    public synchronized long newest() {
        return newest;
    }

    public synchronized long oldest() {
        return log.isEmpty() ? newest + 1 : log.get(0).offset();
    }

    public synchronized List<StoredMessage> log() {
        return List.copyOf(log);
    }

    public synchronized EventId id(long offset) {
        return new EventId(epoch, offset);
    }

    public synchronized int reads() {
        return reads;
    }

    public synchronized List<String> endedEpochs() {
        return List.copyOf(endedEpochs);
    }

    public boolean isSubscribed(Room room) {
        return !listeners.of(room).isEmpty();
    }

    // What a test does.

    /** Stores a message whose text is used only once, also across epochs. Does not deliver it. */
    public synchronized StoredMessage store() {
        return store("");
    }

    private synchronized StoredMessage store(String more) {
        newest++;
        texts++;
        var message = Message.of(room, "text" + texts + more, Instant.ofEpochMilli(texts));
        var stored = new StoredMessage(new EventId(epoch, newest), message);
        log.add(stored);
        return stored;
    }

    /** Stores a message with a lifetime of one second. Does not deliver it. */
    public synchronized StoredMessage storeBrief() {
        StoredMessage lasting = store();
        Message message = lasting.message();
        var brief =
                new Message(
                        message.room(),
                        message.text(),
                        message.from(),
                        message.event(),
                        message.at(),
                        Optional.of(Duration.ofSeconds(1)));
        var stored = new StoredMessage(lasting.id(), brief);
        log.set(log.size() - 1, stored);
        return stored;
    }

    /** Moves the broker's time on, so that all brief messages have expired. */
    public synchronized void expireBriefMessages() {
        now = Instant.EPOCH.plusSeconds(3_600);
    }

    public void deliver(StoredMessage message) {
        listeners.of(room).forEach(listener -> listener.onMessage(message));
    }

    /** Stores and delivers messages. */
    public void publish(int count) {
        for (int i = 0; i < count; i++) {
            deliver(store());
        }
    }

    /** Stores and delivers a message that is longer by this number of bytes. */
    public void publishLong(int bytes) {
        deliver(store("x".repeat(bytes)));
    }

    public void publishPlainText(String text) {
        listeners.of(Room.LOBBY).forEach(listener -> listener.onPlainText(text));
    }

    /** Stores messages and does not deliver them, as when publish/subscribe drops them. */
    public void storeUndelivered(int count) {
        for (int i = 0; i < count; i++) {
            store();
        }
    }

    public void interrupt() {
        listeners.forEach(Listener::onInterrupted);
    }

    /** Says from now on that it keeps this many messages, and bytes; {@link #trim} removes them. */
    public synchronized void keep(int size, long bytes) {
        bounds = new HistoryBounds(size, bytes, bounds.age());
    }

    /** Removes the oldest messages, as retention does. */
    public synchronized void trim(int count) {
        log.subList(0, Math.min(count, log.size())).clear();
    }

    /** Removes one message between others. */
    public synchronized void delete(long offset) {
        log.removeIf(message -> message.offset() == offset);
    }

    /** Loses the newest messages and their offsets, as in a failover to a replica that lagged. */
    public synchronized void loseNewest(int count) {
        int kept = Math.max(0, log.size() - count);
        newest -= log.size() - kept;
        log.subList(kept, log.size()).clear();
    }

    /** Loses everything, including the epoch. */
    public synchronized void loseAll() {
        log.clear();
        newest = 0;
        epoch = epochs + ++epochCount;
    }

    /** Answers the next read as an empty broker with another epoch would. */
    public synchronized void answerNextReadFromAnEmptyLog() {
        empty = true;
    }

    /** Fails every read from now on. */
    public synchronized void goDown() {
        away = true;
    }

    public synchronized void comeUp() {
        away = false;
    }

    /** Answers reads, and refuses to end epochs from now on, as a replica does. */
    public void refuseWrites() {
        refusingWrites = true;
    }

    /** Holds back the answers to reads. A read still sees the log as it is when it is made. */
    public synchronized void holdAnswers() {
        holding = true;
    }

    /** Gives the oldest answer that was held back, if there is one. */
    public void releaseOneAnswer() {
        Held oldest = takeHeld();
        if (oldest != null) {
            oldest.answer().run();
        }
    }

    /** Fails the oldest read whose answer was held back, as when its connection is lost. */
    public void failOneAnswer() {
        Held oldest = takeHeld();
        if (oldest != null) {
            oldest.failure().run();
        }
    }

    /** Tells whether an answer is held back to a read that was not cancelled. */
    public synchronized boolean isHeld() {
        return !held.isEmpty();
    }

    private synchronized @Nullable Held takeHeld() {
        return held.poll();
    }

    /** Gives all answers that were held back, and holds back no more. */
    public void releaseAnswers() {
        synchronized (this) {
            holding = false;
        }
        while (isHeld()) {
            releaseOneAnswer();
        }
    }

    // The broker.

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
                                page = empty ? emptyPage() : page(range);
                                empty = false;
                                if (holding) {
                                    var answer =
                                            new Held(
                                                    () -> emitter.complete(page),
                                                    () ->
                                                            emitter.fail(
                                                                    new BrokerUnavailable("lost")));
                                    held.add(answer);
                                    emitter.onTermination(() -> drop(answer));
                                    return;
                                }
                            }
                            emitter.complete(page);
                        });
    }

    @Override
    public synchronized HistoryBounds bounds(Room room) {
        return bounds;
    }

    @Override
    public Uni<Void> endEpoch(Room room, String ended) {
        if (refusingWrites) {
            return Uni.createFrom().failure(new BrokerUnavailable("read only"));
        }
        return Uni.createFrom().voidItem().invoke(() -> end(ended));
    }

    @Override
    public Uni<Void> subscribe(Room room, Listener listener) {
        return Uni.createFrom().voidItem().invoke(() -> listeners.add(room, listener));
    }

    @Override
    public void unsubscribe(Room room, Listener listener) {
        listeners.remove(room, listener);
    }

    @Override
    public Uni<Receipt> publish(PublishRequest request) {
        throw new UnsupportedOperationException("a test stores messages with store()");
    }

    @Override
    public synchronized BrokerState state() {
        return away ? new BrokerState.Down("away") : new BrokerState.Up();
    }

    private synchronized void drop(Held cancelled) {
        held.remove(cancelled);
    }

    private synchronized void end(String ended) {
        endedEpochs.add(ended);
        if (ended.equals(epoch)) {
            epoch = epochs + ++epochCount;
            log.replaceAll(m -> new StoredMessage(new EventId(epoch, m.offset()), m.message()));
        }
    }

    private static Page emptyPage() {
        return TestPages.page("empty", 1, 0, List.of());
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
        return new Page(Lineage.of(epoch), oldest(), newest, selected, now);
    }

    private static List<StoredMessage> first(Stream<StoredMessage> messages, Range range) {
        return new ArrayList<>(messages.limit(range.limit()).toList());
    }
}
