package dev.parley.http;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts bytes that clients make the pod hold, and refuses more than a number of them: in sum, and
 * from one client address a quarter of it, so that a single address cannot use all. Thread-safe.
 */
final class ByteBudget {

    static final int SHARES = 4;

    private final long max;
    private final AtomicLong held = new AtomicLong();

    /** Has an entry only for addresses that hold something. */
    private final Map<String, Long> heldByAddress = new ConcurrentHashMap<>();

    ByteBudget(long max) {
        this.max = max;
    }

    /**
     * Counts bytes in.
     *
     * @return whether they are within the budget; if not, nothing was counted
     */
    boolean tryTake(String address, long bytes) {
        return tryTake(new ServerBounds.Peer(address, false, false), bytes);
    }

    /**
     * Counts bytes of a connection in. A trusted proxy may use the whole budget, since its bytes
     * are those of many clients.
     *
     * @return whether they are within the budget; if not, nothing was counted
     */
    boolean tryTake(ServerBounds.Peer peer, long bytes) {
        String address = peer.address();
        if (held.addAndGet(bytes) > max) {
            held.addAndGet(-bytes);
            return false;
        }
        if (heldByAddress.merge(address, bytes, Long::sum) > mostOfAddress() && !peer.isProxy()) {
            release(address, bytes);
            return false;
        }
        return true;
    }

    /** Counts bytes in that are held already, whether or not they are within the budget. */
    void take(String address, long bytes) {
        held.addAndGet(bytes);
        heldByAddress.merge(address, bytes, Long::sum);
    }

    /**
     * Tells whether a connection is within the budget now, so that it may hold more. An address
     * that holds nothing is, however small its share.
     */
    boolean hasRoom(ServerBounds.Peer peer) {
        long ofAddress = heldByAddress.getOrDefault(peer.address(), 0L);
        return held.get() < max
                && (peer.isProxy() || ofAddress == 0 || ofAddress < mostOfAddress());
    }

    /** Returns the most bytes that one address can hold. */
    long mostOfAddress() {
        return max / SHARES;
    }

    /** Tells whether {@link #tryTake} would count these bytes in now. */
    boolean hasRoom(String address, long bytes) {
        return held.get() + bytes <= max
                && heldByAddress.getOrDefault(address, 0L) + bytes <= mostOfAddress();
    }

    /** Counts bytes out. */
    void release(String address, long bytes) {
        if (bytes > 0) {
            held.addAndGet(-bytes);
            heldByAddress.computeIfPresent(
                    address, (known, sum) -> sum == bytes ? null : sum - bytes);
        }
    }

    /** Bytes counted in now. */
    long held() {
        return held.get();
    }
}
