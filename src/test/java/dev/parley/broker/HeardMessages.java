package dev.parley.broker;

import dev.parley.message.Room;
import dev.parley.message.StoredMessage;
import dev.parley.testsupport.Timeouts;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** A listener that remembers all it is told. */
public final class HeardMessages implements Broker.Listener {

    private final List<StoredMessage> messages = new CopyOnWriteArrayList<>();
    private final List<String> plain = new CopyOnWriteArrayList<>();
    private final AtomicInteger rejoins = new AtomicInteger();

    @Override
    public void received(StoredMessage message) {
        messages.add(message);
    }

    @Override
    public void receivedPlain(String text) {
        plain.add(text);
    }

    @Override
    public void rejoined() {
        rejoins.incrementAndGet();
    }

    /** The messages of one room, in the order of their arrival. */
    public List<StoredMessage> in(Room room) {
        return messages.stream().filter(m -> m.message().room().equals(room)).toList();
    }

    public int rejoins() {
        return rejoins.get();
    }

    /** The room's messages, once so many of them have arrived. */
    public List<StoredMessage> await(Room room, int count) {
        Timeouts.await(count + " messages in " + room).until(() -> in(room).size() >= count);
        return in(room);
    }

    public void awaitPlain(String text) {
        Timeouts.await(text).until(() -> plain.contains(text));
    }

    public void awaitRejoins(int count) {
        Timeouts.await(count + " rejoins").until(() -> rejoins.get() >= count);
    }
}
