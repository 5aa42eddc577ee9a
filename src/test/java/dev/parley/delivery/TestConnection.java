package dev.parley.delivery;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A connection that keeps what is written to it. As a socket may, it tells of room for more while
 * it is written to. Stalled, it takes one write more, and has no room until it is drained.
 */
final class TestConnection implements Connection {

    private final StringBuilder taken = new StringBuilder();
    private final StringBuilder queued = new StringBuilder();
    private Runnable onDrain = () -> {};
    private boolean stalled;
    private boolean ended;
    private boolean aborted;

    /** The lines that the reader got so far. */
    List<String> lines() {
        return new ArrayList<>(taken.toString().lines().toList());
    }

    /** Bytes that wait for the reader to take them. */
    int queued() {
        return queued.length();
    }

    boolean isEnded() {
        return ended;
    }

    boolean isAborted() {
        return aborted;
    }

    boolean isClosed() {
        return ended || aborted;
    }

    /** The reader takes nothing any more. */
    void stall() {
        stalled = true;
    }

    /** The reader takes what waits, and then goes on as before. */
    void drain() {
        stalled = false;
        takeQueued();
    }

    /** The reader takes what waits, and then nothing again. */
    void drainOnce() {
        takeQueued();
    }

    @Override
    public boolean isWritable() {
        return !stalled || queued.isEmpty();
    }

    @Override
    public void write(byte[] bytes) {
        if (isClosed()) {
            throw new IllegalStateException("closed");
        }
        (stalled ? queued : taken).append(new String(bytes, StandardCharsets.UTF_8));
        if (!stalled) {
            onDrain.run();
        }
    }

    @Override
    public void end(byte[] last) {
        write(last);
        ended = true;
    }

    @Override
    public void abort() {
        aborted = true;
    }

    @Override
    public void onDrain(Runnable handler) {
        onDrain = handler;
    }

    private void takeQueued() {
        boolean wasFull = !queued.isEmpty();
        if (!aborted) {
            taken.append(queued);
        }
        queued.setLength(0);
        if (wasFull && !isClosed()) {
            onDrain.run();
        }
    }
}
