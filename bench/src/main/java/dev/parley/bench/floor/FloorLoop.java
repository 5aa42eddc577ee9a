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
import java.util.concurrent.locks.LockSupport;

/**
 * One thread that serves connections of the load client. It understands the requests of the load
 * client and no others; limits and checks nothing.
 */
abstract class FloorLoop {

    private static final int BACKLOG = 16_384;
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

    private static final String STREAM_REQUEST = "GET /events";
    private static final String LENGTH = "Content-Length: ";

    private final Selector selector = Selector.open();

    FloorLoop() throws IOException {}

    /** What is done when bytes have come on a connection. */
    interface Input {

        /** Reads the bytes. A connection whose input fails is closed. */
        void read() throws IOException;
    }

    /** Called when a stream was requested, after the head of its response was written. */
    abstract void onStream(SocketChannel reader, String request) throws IOException;

    /** Called with the body of a request that has one. */
    abstract void onBody(byte[] bytes, int from, int length);

    /** Called when a connection was closed. */
    abstract void onClosed(SocketChannel channel);

    /**
     * Serves until the process is killed.
     *
     * @param port of 127.0.0.1
     */
    final void serve(int port) throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), BACKLOG);
            server.configureBlocking(false);
            server.register(selector, SelectionKey.OP_ACCEPT);
            while (server.isOpen()) {
                selector.select(this::onReady);
            }
        }
    }

    /** Calls the input whenever bytes have come on the channel. */
    final void register(SocketChannel channel, Input input) throws IOException {
        channel.configureBlocking(false);
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        channel.register(selector, SelectionKey.OP_READ, input);
    }

    private void onReady(SelectionKey key) {
        try {
            if (key.channel() instanceof ServerSocketChannel server) {
                accept(server);
            } else {
                ((Input) key.attachment()).read();
            }
        } catch (IOException e) {
            close((SocketChannel) key.channel());
        }
    }

    private void accept(ServerSocketChannel server) throws IOException {
        for (SocketChannel next = server.accept(); next != null; next = server.accept()) {
            register(next, new Requests(next));
        }
    }

    /** Writes all of it; waits for a reader that is behind, as a blocking write does. */
    static void write(SocketChannel channel, ByteBuffer bytes) throws IOException {
        channel.write(bytes);
        while (bytes.hasRemaining()) {
            LockSupport.parkNanos(PAUSE_NANOS);
            channel.write(bytes);
        }
    }

    /** Closes a connection of the load client. */
    final void close(SocketChannel channel) {
        onClosed(channel);
        try {
            channel.close();
        } catch (IOException e) {
            System.err.println("a connection did not close: " + e);
        }
    }

    /** The requests of a connection, one after the other. */
    private final class Requests implements Input {

        private final SocketChannel channel;
        private final byte[] bytes = new byte[4096];
        private final ByteBuffer in = ByteBuffer.wrap(bytes);

        Requests(SocketChannel channel) {
            this.channel = channel;
        }

        @Override
        public void read() throws IOException {
            if (channel.read(in) < 0) {
                close(channel);
                return;
            }
            String request = new String(bytes, 0, in.position(), US_ASCII);
            int head = request.indexOf("\r\n\r\n") + 4;
            int length = length(request);
            if (head < 4 || in.position() < head + length) {
                return;
            }
            if (request.startsWith(STREAM_REQUEST)) {
                write(channel, ByteBuffer.wrap(STREAM));
                onStream(channel, request);
            } else {
                if (length > 0) {
                    onBody(bytes, head, length);
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
    }
}
