package dev.parley.delivery;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A connection that records what is written to it. Like a socket, it may call the drain handler
 * during a write. While it is stalled, it queues one write, and is not writable until it is
 * drained. A slow one queues any number of writes and stays writable, as a connection does below
 * the bound of its buffer.
 */
final class TestConnection implements Connection {

    private final StringBuilder taken = new StringBuilder();
    private final StringBuilder queued = new StringBuilder();
    private Runnable onDrain = () -> {};
    private Runnable onWrite = () -> {};
    private int writes;
    private boolean stalled;
    private boolean slow;
    private boolean copies;
    private boolean refusesBacklog;
    private boolean ended;
    private boolean aborted;

    /** Returns the lines that the client has received so far. */
    List<String> lines() {
        return new ArrayList<>(taken.toString().lines().toList());
    }

    /** Returns the number of bytes that are queued for the client. */
    int queued() {
        return queued.length();
    }

    /** Returns the number of writes so far. */
    int writes() {
        return writes;
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

    /** Makes the client accept no bytes. */
    void stall() {
        stalled = true;
        slow = false;
    }

    /** Makes the client take no bytes, though the connection accepts more. */
    void beSlow() {
        stalled = true;
        slow = true;
    }

    /** Makes the client take some of what is queued, on which the connection does not call back. */
    void take(int bytes) {
        taken.append(queued, 0, bytes);
        queued.delete(0, bytes);
    }

    /** Makes the client take what is queued, and accept bytes again. */
    void drain() {
        stalled = false;
        slow = false;
        takeQueued();
    }

    /** Makes the client take what is queued, and then accept no bytes again. */
    void drainOnce() {
        takeQueued();
    }

    /** Sets what happens while something is written. */
    void onWrite(Runnable action) {
        onWrite = action;
    }

    /** Makes the connection copy what others are sent too. */
    void copyShared() {
        copies = true;
    }

    /** Sets whether the bytes that wait for clients are too many. */
    void refuseBacklog(boolean refuses) {
        refusesBacklog = refuses;
    }

    @Override
    public boolean isWritable() {
        return !stalled || slow || queued.isEmpty();
    }

    @Override
    public boolean copiesShared() {
        return copies;
    }

    @Override
    public boolean holdsBacklog() {
        return queued.length() > 0;
    }

    @Override
    public long taken() {
        return taken.length();
    }

    @Override
    public boolean mayBeSentBacklog() {
        return !refusesBacklog;
    }

    @Override
    public void write(byte[] bytes) {
        if (isClosed()) {
            throw new IllegalStateException("closed");
        }
        writes++;
        onWrite.run();
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
    public void cut() {
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
