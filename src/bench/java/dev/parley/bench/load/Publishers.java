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

/** The publishing side, on the caller's thread: a window of requests, paced or flat out. */
final class Publishers implements AutoCloseable {

    private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(20);

    final Histogram acknowledged = new Histogram(TimeUnit.SECONDS.toNanos(120), 3);

    private final Selector selector = Selector.open();
    private final List<Lane> lanes = new ArrayList<>();

    /** Used in turn: a connection that is idle for long is closed by the server. */
    private final ArrayDeque<Lane> idle = new ArrayDeque<>();

    private long accepted;
    private long failed;
    private int lastFailure;

    Publishers(Spec spec) throws IOException {
        var server = Addresses.loopback(spec.port());
        for (int i = 0; i < spec.window(); i++) {
            Lane lane = new Lane(i, server, Addresses.loopback(0), spec);
            lane.channel.register(selector, SelectionKey.OP_READ, lane);
            lanes.add(lane);
            idle.addLast(lane);
        }
    }

    /** Each lane's next number. */
    int[] next() {
        return lanes.stream().mapToInt(Lane::next).toArray();
    }

    long accepted() {
        return accepted;
    }

    /** Answers other than success; each of these messages was published again. */
    long failed() {
        return failed;
    }

    int lastFailure() {
        return lastFailure;
    }

    void reset() {
        acknowledged.reset();
        accepted = 0;
        failed = 0;
    }

    /**
     * Publishes and returns when all is acknowledged.
     *
     * @param rate messages a second, 0 for as fast as they are acknowledged
     * @param messages how many at most
     * @param nanos how long at most
     */
    void publish(int rate, long messages, long nanos) throws IOException {
        long start = Payload.now();
        long end = nanos == Long.MAX_VALUE ? nanos : start + nanos;
        long target = accepted + messages;
        long begun = 0;
        for (long now = start; accepted < target && now < end; now = Payload.now()) {
            long due = due(start, rate, begun, now);
            while (isRoom(target) && due <= now) {
                idle.removeFirst().send(due);
                begun++;
                due = due(start, rate, begun, now);
            }
            await(isRoom(target) ? due : Long.MAX_VALUE, now);
        }
        drain();
    }

    private static long due(long start, int rate, long begun, long now) {
        return rate == 0 ? now : start + begun * 1_000_000_000L / rate;
    }

    private boolean isRoom(long target) {
        return !idle.isEmpty() && accepted + lanes.size() - idle.size() < target;
    }

    private void drain() throws IOException {
        while (idle.size() < lanes.size()) {
            await(Long.MAX_VALUE, Payload.now());
        }
    }

    private void await(long due, long now) throws IOException {
        long wait = Math.min(due - now, STUCK_NANOS);
        if (wait >= 1_000_000) {
            int ready = selector.select(this::answered, wait / 1_000_000);
            if (ready == 0 && due == Long.MAX_VALUE) {
                throw new IOException("no answer to a publish request");
            }
            return;
        }
        LockSupport.parkNanos(wait);
        selector.selectNow(this::answered);
    }

    private void answered(SelectionKey key) {
        Lane lane = (Lane) key.attachment();
        try {
            int status = lane.read();
            if (status == 0) {
                return;
            }
            idle.addLast(lane);
            acknowledged.recordValue(Math.max(0, Payload.now() - lane.sentAt()));
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
        for (Lane lane : lanes) {
            lane.channel.close();
        }
        selector.close();
    }
}
