package dev.parley.testsupport;

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
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A network that fails on demand: a loopback port whose connections lead to a server, until told
 * otherwise.
 *
 * <p>As on a real network, what a fault holds back is not lost: it arrives after {@link #heal},
 * unless the connection was cut.
 */
public final class TcpProxy implements Closeable {

    /** Which way bytes go. */
    public enum Direction {
        TO_SERVER,
        TO_CLIENT
    }

    private static final int BUFFER_BYTES = 16 * 1024;

    private final ServerSocket listener;
    private final Object lock = new Object();

    // All below is guarded by the lock.
    private final Set<Link> links = new HashSet<>();
    private final Set<Direction> swallowed = EnumSet.noneOf(Direction.class);
    private InetSocketAddress server;
    private boolean refusing;
    private int accepted;

    private TcpProxy(ServerSocket listener, InetSocketAddress server) {
        this.listener = listener;
        this.server = server;
    }

    /** A proxy before a server on this machine. */
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

    public int port() {
        return listener.getLocalPort();
    }

    /** The proxy's address in this scheme, such as {@code redis} or {@code http}. */
    public String uri(String scheme) {
        return scheme + "://127.0.0.1:" + port();
    }

    /** How many connections have ever been taken; refused ones do not count. */
    public int accepted() {
        synchronized (lock) {
            return accepted;
        }
    }

    /** Leads new connections to another server on this machine; those there are stay. */
    public void leadTo(int port) {
        synchronized (lock) {
            server = loopback(port);
        }
    }

    /** Keeps all connections, takes new ones, and forwards nothing either way. */
    public void blackHole() {
        blackHole(Direction.TO_SERVER);
        blackHole(Direction.TO_CLIENT);
    }

    /** Forwards nothing this way. */
    public void blackHole(Direction direction) {
        synchronized (lock) {
            swallowed.add(direction);
        }
    }

    /** Resets (RST) new connections; those there are stay. */
    public void refuse() {
        synchronized (lock) {
            refusing = true;
        }
    }

    /** Resets (RST) all connections at both ends; new ones are taken. */
    public void cut() {
        synchronized (lock) {
            List.copyOf(links).forEach(Link::reset);
            lock.notifyAll();
        }
    }

    /** Ends every fault: black holes and refusal. */
    public void heal() {
        synchronized (lock) {
            swallowed.clear();
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
                take(listener.accept());
            } catch (IOException e) {
                // Closed, or the client was gone before we looked.
            }
        }
    }

    private void take(Socket client) {
        synchronized (lock) {
            if (refusing || listener.isClosed()) {
                Sockets.reset(client);
                return;
            }
            Link link = new Link(client, new Socket(), server);
            links.add(link);
            accepted++;
            daemon("tcp-proxy-link-" + client.getPort(), link::run);
        }
    }

    /** A client, its connection to the server, and a thread for each way. */
    private final class Link {

        private final Socket client;
        private final Socket upstream;
        private final InetSocketAddress server;

        Link(Socket client, Socket upstream, InetSocketAddress server) {
            this.client = client;
            this.upstream = upstream;
            this.server = server;
        }

        void run() {
            try {
                pass(Direction.TO_SERVER);
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

        /** Forwards until the end of the stream, and then that end. */
        private void pump(Socket from, Socket to, Direction direction) throws IOException {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] buffer = new byte[BUFFER_BYTES];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                pass(direction);
                out.write(buffer, 0, n);
            }
            pass(direction);
            to.shutdownOutput();
        }

        /** Waits while this direction is a black hole. */
        private void pass(Direction direction) throws IOException {
            synchronized (lock) {
                while (swallowed.contains(direction) && !client.isClosed()) {
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
