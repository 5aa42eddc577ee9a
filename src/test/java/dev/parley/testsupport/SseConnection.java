package dev.parley.testsupport;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** One connection of an {@link SseReader}: a request and the bytes of its answer. */
final class SseConnection implements Closeable {

    private static final int READ_BYTES = 4 * 1024;

    private final Socket socket = new Socket();
    private final Consumer<SseConnection> gate;

    /**
     * A connection to be.
     *
     * @param gate returns when bytes may be taken from the socket or passed on
     */
    SseConnection(Consumer<SseConnection> gate) {
        this.gate = gate;
    }

    void connect(URI uri, Optional<InetAddress> from, int receiveBuffer) throws IOException {
        if (receiveBuffer > 0) {
            socket.setReceiveBufferSize(receiveBuffer);
        }
        if (from.isPresent()) {
            socket.bind(new InetSocketAddress(from.get(), 0));
        }
        int port = uri.getPort() < 0 ? 80 : uri.getPort();
        socket.connect(new InetSocketAddress(uri.getHost(), port), Timeouts.millis());
    }

    HttpAnswer get(URI uri, Map<String, String> headers) throws IOException {
        socket.getOutputStream().write(request(uri, headers));
        return HttpAnswer.read(
                new BufferedInputStream(new Gated(socket.getInputStream()), READ_BYTES));
    }

    private static byte[] request(URI uri, Map<String, String> headers) {
        String path = uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        String query = uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery();
        StringBuilder request = new StringBuilder();
        request.append("GET ").append(path).append(query).append(" HTTP/1.1\r\n");
        request.append("Host: ").append(uri.getRawAuthority()).append("\r\n");
        headers.forEach(
                (name, value) -> request.append(name).append(": ").append(value).append("\r\n"));
        return request.append("\r\n").toString().getBytes(StandardCharsets.UTF_8);
    }

    boolean closed() {
        return socket.isClosed();
    }

    void reset() {
        Sockets.reset(socket);
    }

    @Override
    public void close() {
        Sockets.close(socket);
    }

    /**
     * The socket's bytes, through the gate twice: shut before the read, nothing is taken; shut
     * during the read, what it took is held.
     */
    private final class Gated extends InputStream {

        private final InputStream in;

        Gated(InputStream in) {
            this.in = in;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            gate.accept(SseConnection.this);
            int count = in.read(buffer, offset, length);
            gate.accept(SseConnection.this);
            return count;
        }

        @Override
        public int available() throws IOException {
            return in.available();
        }
    }
}
