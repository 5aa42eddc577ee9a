package dev.parley.broker;

import dev.parley.broker.Broker.IdempotencyKey;
import dev.parley.broker.Broker.PublishRequest;
import dev.parley.broker.Broker.Receipt;
import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import dev.parley.testsupport.SettableClock;
import dev.parley.testsupport.Timeouts;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * A broker for tests: each call waits for its answer, messages get the time of a clock, and what
 * arrives in {@link #ROOM} and in the lobby is recorded.
 */
public final class BlockingBroker {

    public static final Room ROOM = new Room("room");

    private final Broker broker;
    private final SettableClock clock;
    private final RecordingListener received = new RecordingListener();
    private final RecordingListener receivedInLobby = new RecordingListener();

    private BlockingBroker(Broker broker, SettableClock clock) {
        this.broker = broker;
        this.clock = clock;
    }

    /** Waits until messages flow, and subscribes to the room and the lobby. */
    public static BlockingBroker open(Broker broker, SettableClock clock) {
        var opened = new BlockingBroker(broker, clock);
        opened.awaitUp();
        opened.subscribe(ROOM, opened.received);
        opened.subscribe(Room.LOBBY, opened.receivedInLobby);
        return opened;
    }

    public SettableClock clock() {
        return clock;
    }

    /** Returns what has arrived in the room. */
    public RecordingListener received() {
        return received;
    }

    /** Returns what has arrived in the lobby. */
    public RecordingListener receivedInLobby() {
        return receivedInLobby;
    }

    /** Subscribes another listener to a room. */
    public RecordingListener subscribe(Room room) {
        var listener = new RecordingListener();
        subscribe(room, listener);
        return listener;
    }

    public void unsubscribe(Room room, RecordingListener listener) {
        broker.unsubscribe(room, listener);
    }

    private void subscribe(Room room, RecordingListener listener) {
        broker.subscribe(room, listener).await().atMost(Timeouts.LIMIT);
    }

    public void awaitUp() {
        Timeouts.await("broker is up").until(() -> broker.state().isUp());
    }

    public void awaitDown() {
        Timeouts.await("broker is down").until(() -> !broker.state().isUp());
    }

    /** Returns a publish that happens each time it is subscribed to. */
    public Uni<Receipt> publishing(String text) {
        return broker.publish(request(message(ROOM, text), Optional.empty()));
    }

    public Receipt publish(Message message) {
        return publish(message, Optional.empty());
    }

    /** Publishes under an idempotency key. */
    public Receipt publish(String text, String key) {
        return publish(ROOM, text, key);
    }

    public Receipt publish(Room room, String text, String key) {
        return publish(message(room, text), Optional.of(new IdempotencyKey(key)));
    }

    /** Publishes under a sender's idempotency key. */
    public Receipt publish(String text, String key, String sender) {
        var request =
                new PublishRequest(
                        message(ROOM, text), Optional.of(new IdempotencyKey(key)), sender);
        return broker.publish(request).await().atMost(Timeouts.LIMIT);
    }

    private Receipt publish(Message message, Optional<IdempotencyKey> key) {
        return broker.publish(request(message, key)).await().atMost(Timeouts.LIMIT);
    }

    /** Makes a request of a sender who is known by the message's {@code from} alone. */
    private static PublishRequest request(Message message, Optional<IdempotencyKey> key) {
        return new PublishRequest(message, key, message.from().orElse(""));
    }

    /** Publishes a text, and returns its id. */
    public EventId publishText(String text) {
        return publishText(ROOM, text);
    }

    public EventId publishText(Room room, String text) {
        return publish(message(room, text)).id();
    }

    /** Publishes a text that expires, under an idempotency key; returns the receipt. */
    public Receipt publishBriefly(String text, Duration ttl, String key) {
        var brief =
                new Message(
                        ROOM,
                        text,
                        Optional.empty(),
                        Optional.empty(),
                        clock.instant(),
                        Optional.of(ttl));
        return publish(brief, Optional.of(new IdempotencyKey(key)));
    }

    /** Publishes the texts 1, 2, 3 …, and returns the last id. */
    public EventId publishNumbers(int count) {
        return IntStream.rangeClosed(1, count)
                .mapToObj(i -> publishText(Integer.toString(i)))
                .reduce((former, latter) -> latter)
                .orElseThrow();
    }

    private Message message(Room room, String text) {
        return Message.of(room, text, clock.instant());
    }

    public Page read(Range range) {
        return read(ROOM, range);
    }

    public Page read(Room room, Range range) {
        return broker.read(room, range).await().atMost(Timeouts.LIMIT);
    }

    public Page readAfter(long offset, int limit) {
        return read(new Range.After(offset, limit));
    }

    public void endEpoch(Room room, String epoch) {
        broker.endEpoch(room, epoch).await().atMost(Timeouts.LIMIT);
    }

    public static List<Long> offsets(Page page) {
        return page.messages().stream().map(StoredMessage::offset).toList();
    }

    public static List<Long> offsets(long first, long last) {
        return LongStream.rangeClosed(first, last).boxed().toList();
    }
}
