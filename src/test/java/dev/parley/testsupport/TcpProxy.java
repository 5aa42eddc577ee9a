package dev.parley.testsupport;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A TCP proxy that causes network faults: a loopback port that forwards its connections to a server
 * on this machine.
 *
 * <p>As on a real network, bytes that a black hole holds back are not lost: they arrive after
 * {@link #heal}, unless the connection is cut before.
 */
public final class TcpProxy implements Closeable {

    /** The direction of bytes. */
    public enum Direction {
        TO_SERVER,
        TO_CLIENT
    }

    /** When a trap springs: before or after the bytes that complete its text are forwarded. */
    public enum Moment {
        BEFORE,
        AFTER
    }

    /**
     * A text in the bytes of one direction.
     *
     * @param text of ASCII characters
     */
    public record Text(Direction direction, String text) {}

    private static final int BUFFER_BYTES = 16 * 1024;
    private static final long UNLIMITED = Long.MAX_VALUE;

    private final ServerSocket listener;
    private final Object lock = new Object();

    // All below is guarded by the lock.
    private final Set<Link> links = new HashSet<>();
    private final Set<Direction> blackHoles = EnumSet.noneOf(Direction.class);
    private long bytesUntilCut = UNLIMITED;
    private InetSocketAddress server;
    private boolean refusing;
    private int accepted;
    private @Nullable Trap trap;

    private TcpProxy(ServerSocket listener, InetSocketAddress server) {
        this.listener = listener;
        this.server = server;
    }

    /** Starts a proxy in front of a server on this machine. */
    public static TcpProxy to(int port) {
        try {
            ServerSocket listener = new ServerSocket(0, 1024, InetAddress.getLoopbackAddress());
            TcpProxy proxy = new TcpProxy(listener, loopback(port));
            daemon("tcp-proxy-" + listener.getLocalPort(), proxy::accept);
            return proxy;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The port that clients connect to. */
    public int port() {
        return listener.getLocalPort();
    }

    /** The proxy's address as a URI of this scheme, such as {@code redis} or {@code http}. */
    public String uri(String scheme) {
        return scheme + "://127.0.0.1:" + port();
    }

    /** The number of connections accepted so far, without the refused ones. */
    public int accepted() {
        synchronized (lock) {
            return accepted;
        }
    }

    /** Forwards new connections to another server on this machine; open connections stay. */
    public void retarget(int port) {
        synchronized (lock) {
            server = loopback(port);
        }
    }

    /** Keeps open connections, accepts new ones, and forwards nothing in either direction. */
    public void blackHole() {
        blackHole(Direction.TO_SERVER);
        blackHole(Direction.TO_CLIENT);
    }

    /** Forwards nothing in this direction. */
    public void blackHole(Direction direction) {
        synchronized (lock) {
            blackHoles.add(direction);
        }
    }

    /**
     * Forwards nothing more of one connection, which stays open at both ends for as long as they
     * keep it.
     *
     * @param port from which the proxy has connected to the server, as the server knows it
     */
    public void blackHole(int port) {
        synchronized (lock) {
            links.stream()
                    .filter(link -> link.upstream.getLocalPort() == port)
                    .forEach(link -> link.isBlackHole = true);
        }
    }

    /** Resets (RST) new connections; open connections stay. */
    public void refuse() {
        synchronized (lock) {
            refusing = true;
        }
    }

    /** Resets (RST) all open connections at both ends; new ones are accepted. */
    public void cut() {
        synchronized (lock) {
            List.copyOf(links).forEach(Link::reset);
            lock.notifyAll();
        }
    }

    /**
     * Resets (RST) each connection, open or new, at both ends once it has passed this many bytes to
     * its client, counted from this call or from the start of the connection. A client that reads
     * receives those bytes before the reset.
     */
    public void cutAfter(long bytesToClient) {
        synchronized (lock) {
            bytesUntilCut = bytesToClient;
            links.forEach(link -> link.bytesUntilCut = bytesToClient);
        }
    }

    /**
     * Runs an action once, when a connection has passed these texts one after the other. The action
     * runs on the proxy's thread, and the connection passes nothing in the direction of the last
     * text meanwhile. A trap that has not sprung is replaced.
     *
     * @return completes when the action has run
     */
    public CompletableFuture<Void> trap(Moment moment, Runnable action, Text... texts) {
        synchronized (lock) {
            trap = new Trap(moment, action, List.of(texts));
            return trap.sprung;
        }
    }

    /** An action that is to run, and how far each connection has come. */
    private static final class Trap {

        private final Moment moment;
        private final Runnable action;
        private final List<Text> texts;
        private final CompletableFuture<Void> sprung = new CompletableFuture<>();

        /** For each connection, the number of texts that it has passed. */
        private final Map<Link, Integer> passed = new HashMap<>();

        /** For each connection, the last bytes of what may be the next text. */
        private final Map<Link, String> tails = new HashMap<>();

        Trap(Moment moment, Runnable action, List<Text> texts) {
            this.moment = moment;
            this.action = action;
            this.texts = texts;
        }

        /** Takes bytes that are about to pass; returns whether the last text is complete. */
        boolean isCompletedBy(Link link, Direction direction, String bytes) {
            int index = passed.getOrDefault(link, 0);
            Text next = texts.get(index);
            if (next.direction() != direction) {
                return false;
            }
            String seen = tails.getOrDefault(link, "") + bytes;
            if (!seen.contains(next.text())) {
                int kept = Math.min(seen.length(), next.text().length() - 1);
                tails.put(link, seen.substring(seen.length() - kept));
                return false;
            }
            tails.remove(link);
            passed.put(link, index + 1);
            return index + 1 == texts.size();
        }

        void spring() {
            try {
                action.run();
                sprung.complete(null);
            } catch (RuntimeException | Error e) {
                sprung.completeExceptionally(e);
                throw e;
            }
        }
    }

    /** Ends black holes, refusal and {@link #cutAfter}. */
    public void heal() {
        cutAfter(UNLIMITED);
        synchronized (lock) {
            blackHoles.clear();
            refusing = false;
            lock.notifyAll();
        }
    }

    @Override
    public void close() {
        Sockets.close(listener);
        cut();
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                start(listener.accept());
            } catch (IOException e) {
                // The proxy is closed, or the client has closed its connection already.
            }
        }
    }

    private void start(Socket client) {
        synchronized (lock) {
            if (refusing || listener.isClosed()) {
                Sockets.reset(client);
                return;
            }
            Link link = new Link(client, server, bytesUntilCut);
            links.add(link);
            accepted++;
            daemon("tcp-proxy-link-" + client.getPort(), link::run);
        }
    }

    /** A client's connection, the connection to the server, and a thread for each direction. */
    private final class Link {

        private final Socket client;
        private final Socket upstream = new Socket();
        private final InetSocketAddress server;

        /** Guarded by the lock. */
        private long bytesUntilCut;

        /** Guarded by the lock. */
        private boolean isBlackHole;

        Link(Socket client, InetSocketAddress server, long bytesUntilCut) {
            this.client = client;
            this.server = server;
            this.bytesUntilCut = bytesUntilCut;
        }

        void run() {
            try {
                awaitNoBlackHole(Direction.TO_SERVER);
                upstream.connect(server, Timeouts.millis());
                client.setTcpNoDelay(true);
                upstream.setTcpNoDelay(true);
                Thread back = daemon("tcp-proxy-back-" + client.getPort(), this::pumpBack);
                pump(client, upstream, Direction.TO_SERVER);
                back.join();
                end();
            } catch (IOException e) {
                reset();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                reset();
            }
        }

        private void pumpBack() {
            try {
                pump(upstream, client, Direction.TO_CLIENT);
            } catch (IOException e) {
                reset();
            }
        }

        /** Forwards bytes until the input ends, and then ends the output. */
        private void pump(Socket from, Socket to, Direction direction) throws IOException {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] buffer = new byte[BUFFER_BYTES];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                awaitNoBlackHole(direction);
                Optional<Trap> completed = completedTrap(direction, buffer, n);
                completed.filter(one -> one.moment == Moment.BEFORE).ifPresent(Trap::spring);
                int allowed = direction == Direction.TO_CLIENT ? bytesBeforeCut(n) : n;
                out.write(buffer, 0, allowed);
                completed.filter(one -> one.moment == Moment.AFTER).ifPresent(Trap::spring);
                if (allowed < n || isCutNow(direction)) {
                    reset();
                    return;
                }
            }
            awaitNoBlackHole(direction);
            to.shutdownOutput();
        }

        /** Returns the trap if these bytes complete its texts; from then on there is none. */
        private Optional<Trap> completedTrap(Direction direction, byte[] buffer, int count) {
            synchronized (lock) {
                Trap present = trap;
                if (present == null
                        || !present.isCompletedBy(
                                this, direction, new String(buffer, 0, count, ISO_8859_1))) {
                    return Optional.empty();
                }
                trap = null;
                return Optional.of(present);
            }
        }

        /** Counts bytes for the client and returns how many of them may pass. */
        private int bytesBeforeCut(int count) {
            synchronized (lock) {
                int allowed = (int) Math.min(count, bytesUntilCut);
                if (bytesUntilCut != UNLIMITED) {
                    bytesUntilCut -= allowed;
                }
                return allowed;
            }
        }

        private boolean isCutNow(Direction direction) {
            synchronized (lock) {
                return direction == Direction.TO_CLIENT && bytesUntilCut == 0;
            }
        }

        private void awaitNoBlackHole(Direction direction) throws IOException {
            synchronized (lock) {
                while ((isBlackHole || blackHoles.contains(direction)) && !client.isClosed()) {
                    try {
                        lock.wait();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                        throw new IOException(e);
                    }
                }
            }
        }

        private void end() {
            Sockets.close(client);
            Sockets.close(upstream);
            forget();
        }

        void reset() {
            Sockets.reset(client);
            Sockets.reset(upstream);
            forget();
        }

        private void forget() {
            synchronized (lock) {
                links.remove(this);
            }
        }
    }

    private static Thread daemon(String name, Runnable work) {
        Thread thread = new Thread(null, work, name, 128 * 1024);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private static InetSocketAddress loopback(int port) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }
}
