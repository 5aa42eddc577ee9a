package dev.parley.testsupport;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;

/**
 * A server that a test drives step by step: accept a connection, read its request, write these
 * bytes, close.
 */
final class ScriptedServer implements Closeable {

    private static final String STREAM_HEAD =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream;charset=utf-8\r\n";

    private final ServerSocket listener;

    ScriptedServer() {
        try {
            listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
            listener.setSoTimeout(Timeouts.millis());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    int port() {
        return listener.getLocalPort();
    }

    URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port() + path);
    }

    /** Accepts the next connection. */
    Peer accept() {
        try {
            Socket socket = listener.accept();
            socket.setSoTimeout(Timeouts.millis());
            socket.setTcpNoDelay(true);
            return new Peer(socket);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Accepts a connection, reads its request, and begins an event stream in chunks. */
    Peer acceptStream() {
        Peer peer = accept();
        peer.readRequest();
        return peer.write(STREAM_HEAD + "Transfer-Encoding: chunked\r\n\r\n");
    }

    /** Accepts a connection, reads its request, and begins an event stream without a coding. */
    Peer acceptUnchunkedStream() {
        Peer peer = accept();
        peer.readRequest();
        return peer.write(STREAM_HEAD + "\r\n");
    }

    @Override
    public void close() {
        Sockets.close(listener);
    }

    /** The server's end of a connection. */
    static final class Peer implements Closeable {

        private final Socket socket;

        private Peer(Socket socket) {
            this.socket = socket;
        }

        /** Reads the request up to its empty line. */
        String readRequest() {
            StringBuilder request = new StringBuilder();
            while (request.indexOf("\r\n\r\n") < 0) {
                int b = read();
                if (b < 0) {
                    throw new IllegalStateException("connection ended after: " + request);
                }
                request.append((char) b);
            }
            return request.toString();
        }

        /** Reads one byte; -1 at the end of the connection. A reset counts as the end. */
        int read() {
            try {
                InputStream in = socket.getInputStream();
                return in.read();
            } catch (SocketTimeoutException e) {
                throw new UncheckedIOException(e);
            } catch (IOException reset) {
                return -1;
            }
        }

        /** Reads to the end of the connection. A reset counts as the end. */
        String readToEnd() {
            StringBuilder text = new StringBuilder();
            for (int b = read(); b >= 0; b = read()) {
                text.append((char) b);
            }
            return text.toString();
        }

        Peer write(String text) {
            return write(text.getBytes(StandardCharsets.UTF_8));
        }

        Peer write(byte[] bytes) {
            try {
                OutputStream out = socket.getOutputStream();
                out.write(bytes);
                return this;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** Writes a text as one chunk. */
        Peer chunk(String text) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            return write(Integer.toHexString(bytes.length) + "\r\n").write(bytes).write("\r\n");
        }

        @Override
        public void close() {
            Sockets.close(socket);
        }
    }
}
