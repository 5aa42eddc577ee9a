package dev.parley.bench.floor;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Brings each message that is published to all readers with one write for each of them, and does
 * nothing else: one thread, one room, no history, no ids that count, no limits, no checks. It
 * understands the requests of the load client and no others. Its event has as many bytes as
 * Parley's.
 */
public final class FloorServer {

    private static final int BACKLOG = 16_384;
    private static final int BUFFER = 256 * 1024;
    private static final long PAUSE_NANOS = 100_000;

    private static final byte[] STREAM =
            """
            HTTP/1.1 200 OK
            Content-Type: text/event-stream
            Transfer-Encoding: chunked

            """
                    .replace("\n", "\r\n")
                    .getBytes(US_ASCII);

    private static final byte[] OK =
            """
            HTTP/1.1 200 OK
            Content-Length: 2

            ok"""
                    .replace("\n", "\r\n")
                    .getBytes(US_ASCII);

    private static final byte[] BEFORE = "data: ".getBytes(US_ASCII);

    /** As long as an id of Parley's, though always the same one. */
    private static final byte[] AFTER = "\nid: floor0.0000000\n\n".getBytes(US_ASCII);

    private static final byte[] LINE_END = {'\r', '\n'};
    private static final String LENGTH = "Content-Length: ";

    private final Selector selector = Selector.open();
    private final List<SocketChannel> readers = new ArrayList<>();
    private final ByteBuffer out = ByteBuffer.allocateDirect(BUFFER);

    private FloorServer() throws IOException {}

    /** A connection, and what has come of its next request. */
    private static final class Connection {

        final byte[] bytes = new byte[4096];
        final ByteBuffer in = ByteBuffer.wrap(bytes);
    }

    /**
     * Serves until it is killed.
     *
     * @param args the port of 127.0.0.1
     */
    public static void main(String... args) throws IOException {
        new FloorServer().serve(Integer.parseInt(args[0]));
    }

    private void serve(int port) throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), BACKLOG);
            server.configureBlocking(false);
            server.register(selector, SelectionKey.OP_ACCEPT);
            while (server.isOpen()) {
                selector.select(this::onReady);
            }
        }
    }

    private void onReady(SelectionKey key) {
        try {
            if (key.channel() instanceof ServerSocketChannel server) {
                accept(server);
            } else {
                read((SocketChannel) key.channel(), (Connection) key.attachment());
            }
        } catch (IOException e) {
            close((SocketChannel) key.channel());
        }
    }

    private void accept(ServerSocketChannel server) throws IOException {
        for (SocketChannel next = server.accept(); next != null; next = server.accept()) {
            next.configureBlocking(false);
            next.setOption(StandardSocketOptions.TCP_NODELAY, true);
            next.register(selector, SelectionKey.OP_READ, new Connection());
        }
    }

    private void read(SocketChannel channel, Connection connection) throws IOException {
        ByteBuffer in = connection.in;
        if (channel.read(in) < 0) {
            close(channel);
            return;
        }
        String request = new String(connection.bytes, 0, in.position(), US_ASCII);
        int head = request.indexOf("\r\n\r\n") + 4;
        int length = length(request);
        if (head < 4 || in.position() < head + length) {
            return;
        }
        if (request.startsWith("GET /events")) {
            write(channel, ByteBuffer.wrap(STREAM));
            readers.add(channel);
        } else {
            if (length > 0) {
                publish(connection.bytes, head, length);
            }
            write(channel, ByteBuffer.wrap(OK));
        }
        in.clear();
    }

    private static int length(String request) {
        int at = request.indexOf(LENGTH);
        return at < 0
                ? 0
                : Integer.parseInt(
                        request.substring(at + LENGTH.length(), request.indexOf('\r', at)));
    }

    /** Writes one chunk with one event to every reader. */
    private void publish(byte[] text, int from, int length) {
        int size = BEFORE.length + length + AFTER.length;
        out.clear();
        out.put(Integer.toHexString(size).getBytes(US_ASCII)).put(LINE_END);
        out.put(BEFORE).put(text, from, length).put(AFTER).put(LINE_END).flip();
        // Backwards, because a reader that has left is removed.
        for (int i = readers.size() - 1; i >= 0; i--) {
            out.rewind();
            SocketChannel reader = readers.get(i);
            try {
                write(reader, out);
            } catch (IOException e) {
                close(reader);
            }
        }
    }

    /** Writes all of it; waits for a reader that is behind, as a blocking write does. */
    private static void write(SocketChannel channel, ByteBuffer bytes) throws IOException {
        channel.write(bytes);
        while (bytes.hasRemaining()) {
            LockSupport.parkNanos(PAUSE_NANOS);
            channel.write(bytes);
        }
    }

    private void close(SocketChannel channel) {
        readers.remove(channel);
        try {
            channel.close();
        } catch (IOException e) {
            System.err.println("a connection did not close: " + e);
        }
    }
}
