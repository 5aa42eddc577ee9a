package dev.parley.delivery;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Decides which clients get a stream, and counts the streams. Thread-safe. */
final class Admission {

    private final LimitsConfig limits;
    private final AtomicInteger streams = new AtomicInteger();
    private final Map<String, Integer> streamsByAddress = new ConcurrentHashMap<>();
    private volatile boolean closed;

    Admission(LimitsConfig limits) {
        this.limits = limits;
    }

    /** Refuses every stream from now on. */
    void close() {
        closed = true;
    }

    /**
     * Counts a stream in, unless it is refused.
     *
     * @return why it is refused; if empty, the caller calls {@link #leave} when the stream ends
     */
    Optional<DisconnectReason> enter(String address) {
        if (closed) {
            return Optional.of(DisconnectReason.DRAIN);
        }
        if (streams.incrementAndGet() > limits.connections()) {
            streams.decrementAndGet();
            return Optional.of(DisconnectReason.LIMIT);
        }
        if (streamsByAddress.merge(address, 1, Integer::sum) > limits.connectionsPerAddress()) {
            leave(address);
            return Optional.of(DisconnectReason.LIMIT);
        }
        return Optional.empty();
    }

    /** Counts a stream out. */
    void leave(String address) {
        streams.decrementAndGet();
        streamsByAddress.computeIfPresent(address, (a, count) -> count == 1 ? null : count - 1);
    }

    /** Returns the number of open streams. */
    int streams() {
        return streams.get();
    }
}
