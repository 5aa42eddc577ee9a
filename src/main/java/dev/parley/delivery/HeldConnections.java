package dev.parley.delivery;

import dev.parley.retry.Backoff;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Connections that got a goodbye as soon as they were opened, and are kept open for about a second
 * before they end. Some clients do not wait for the stream's {@code retry} when a connection that
 * was answered with 200 ends: they ask again at once, dozens of times a second.
 *
 * <p>A held connection is not a stream: it counts against no limit of streams, and nothing is
 * written to it. A pod holds 128 at most; the others end at once. Thread-safe.
 */
final class HeldConnections {

    /** Connections held at a time. They take files from the reserve that streams leave. */
    static final int MAX = 128;

    private static final Duration SHORTEST = Duration.ofMillis(500);
    private static final Duration LONGEST = Duration.ofMillis(1500);
    private static final byte[] NOTHING = new byte[0];

    private final Set<Held> held = ConcurrentHashMap.newKeySet();

    /**
     * Sends the goodbye, and ends the connection later. Called on its event loop.
     *
     * @return what to call, on that loop, if the client closes the connection before
     */
    Runnable end(byte[] goodbye, Connection connection, EventLoop loop) {
        if (held.size() >= MAX) {
            connection.end(goodbye);
            return () -> {};
        }
        connection.write(goodbye);
        var one = new Held(connection, loop);
        held.add(one);
        loop.executeLater(one::end, Backoff.between(SHORTEST, LONGEST));
        return one::remove;
    }

    /** Ends all of them now, since the pod is about to end. */
    void endAll() {
        held.forEach(one -> one.loop.execute(one::end));
    }

    private final class Held {

        private final Connection connection;
        private final EventLoop loop;

        Held(Connection connection, EventLoop loop) {
            this.connection = connection;
            this.loop = loop;
        }

        void end() {
            if (remove()) {
                connection.end(NOTHING);
            }
        }

        /** Returns false if it was removed before. */
        boolean remove() {
            return held.remove(this);
        }
    }
}
