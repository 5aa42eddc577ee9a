package dev.parley.bench.load;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/** All publishers. They run on the caller's thread, at a fixed rate or as fast as possible. */
final class Publishers implements AutoCloseable {

    private static final long ANSWER_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(20);

    /**
     * Time to the acknowledgement. At a rate it counts from when the request was due, so that a
     * server that is late for one is not spared those that wait behind it.
     */
    final Histogram acknowledged = new Histogram(TimeUnit.SECONDS.toNanos(120), 3);

    private final Selector selector = Selector.open();
    private final List<Publisher> publishers = new ArrayList<>();

    /** Used in turn, because a server closes a connection that is idle for long. */
    private final ArrayDeque<Publisher> idle = new ArrayDeque<>();

    private boolean paced;
    private long accepted;
    private long failed;
    private int lastFailure;

    Publishers(LoadOptions options) throws IOException {
        for (int i = 0; i < options.window(); i++) {
            var server = LoopbackAddresses.loopback(options.publishingPort(i));
            Publisher publisher = new Publisher(i, server, LoopbackAddresses.loopback(0), options);
            publisher.channel.register(selector, SelectionKey.OP_READ, publisher);
            publishers.add(publisher);
            idle.addLast(publisher);
        }
    }

    /** Number of each publisher's next message. */
    int[] nextNumbers() {
        return publishers.stream().mapToInt(Publisher::next).toArray();
    }

    long accepted() {
        return accepted;
    }

    /** Number of responses without success; each of these messages was published again. */
    long failed() {
        return failed;
    }

    /** Status of the last response without success, 0 if there was none. */
    int lastFailure() {
        return lastFailure;
    }

    /** Sets all counts to 0; the messages' numbers go on. */
    void reset() {
        acknowledged.reset();
        accepted = 0;
        failed = 0;
    }

    /**
     * Publishes, and returns when every message is acknowledged.
     *
     * @param rate messages a second, 0 for as fast as they are acknowledged
     * @param messages how many at most
     * @param nanos how long at most
     */
    void publish(int rate, long messages, long nanos) throws IOException {
        paced = rate > 0;
        long start = MessageText.now();
        long end = nanos == Long.MAX_VALUE ? nanos : start + nanos;
        long target = accepted + messages;
        long sent = 0;
        for (long now = start; accepted < target && now < end; now = MessageText.now()) {
            long due = due(start, rate, sent, now);
            while (maySend(target) && due <= now) {
                idle.removeFirst().send(due);
                sent++;
                due = due(start, rate, sent, now);
            }
            await(maySend(target) ? due : Long.MAX_VALUE, now);
        }
        awaitAnswers();
    }

    private static long due(long start, int rate, long sent, long now) {
        return rate == 0 ? now : start + sent * 1_000_000_000L / rate;
    }

    private boolean maySend(long target) {
        return !idle.isEmpty() && accepted + publishers.size() - idle.size() < target;
    }

    private void awaitAnswers() throws IOException {
        while (idle.size() < publishers.size()) {
            await(Long.MAX_VALUE, MessageText.now());
        }
    }

    private void await(long due, long now) throws IOException {
        long wait = Math.min(due - now, ANSWER_TIMEOUT_NANOS);
        if (wait >= 1_000_000) {
            int ready = selector.select(this::onAnswer, wait / 1_000_000);
            if (ready == 0 && due == Long.MAX_VALUE) {
                throw new IOException("no answer to a publish request");
            }
            return;
        }
        LockSupport.parkNanos(wait);
        selector.selectNow(this::onAnswer);
    }

    private void onAnswer(SelectionKey key) {
        Publisher publisher = (Publisher) key.attachment();
        try {
            int status = publisher.read();
            if (status == 0) {
                return;
            }
            idle.addLast(publisher);
            long since = paced ? publisher.dueAt() : publisher.sentAt();
            acknowledged.recordValue(Math.max(0, MessageText.now() - since));
            if (status / 100 == 2) {
                accepted++;
            } else {
                failed++;
                lastFailure = status;
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() throws IOException {
        for (Publisher publisher : publishers) {
            publisher.channel.close();
        }
        selector.close();
    }
}
