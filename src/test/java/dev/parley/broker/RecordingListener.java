package dev.parley.broker;

import dev.parley.message.Message.StoredMessage;
import dev.parley.testsupport.Timeouts;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** A listener that records what it receives. */
public final class RecordingListener implements Broker.Listener {

    private final List<StoredMessage> messages = new CopyOnWriteArrayList<>();
    private final List<String> plainTexts = new CopyOnWriteArrayList<>();
    private final AtomicInteger interruptions = new AtomicInteger();

    @Override
    public void onMessage(StoredMessage message) {
        messages.add(message);
    }

    @Override
    public void onPlainText(String text) {
        plainTexts.add(text);
    }

    @Override
    public void onInterrupted() {
        interruptions.incrementAndGet();
    }

    /** Returns all messages so far, in the order of their arrival. */
    public List<StoredMessage> all() {
        return List.copyOf(messages);
    }

    /** Waits until at least this many messages have arrived, and returns all. */
    public List<StoredMessage> await(int count) {
        Timeouts.await(count + " messages").until(() -> messages.size() >= count);
        return all();
    }

    /** Returns all plain texts so far, in the order of their arrival. */
    public List<String> plainTexts() {
        return List.copyOf(plainTexts);
    }

    public void awaitPlainText(String text) {
        Timeouts.await(text).until(() -> plainTexts.contains(text));
    }

    /** Returns how often there was a reason to compare. */
    public int interruptions() {
        return interruptions.get();
    }

    public void awaitInterruptions(int count) {
        Timeouts.await(count + " interruptions").until(() -> interruptions.get() >= count);
    }
}
