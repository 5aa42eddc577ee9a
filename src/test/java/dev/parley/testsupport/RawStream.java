package dev.parley.testsupport;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A request of any bytes, and the bytes of its answer as they come. */
public final class RawStream implements Closeable {

    private final Socket socket;
    private final ByteArrayOutputStream received = new ByteArrayOutputStream();

    private RawStream(Socket socket) {
        this.socket = socket;
    }

    /** Connects to a port of this machine, and sends a request. */
    public static RawStream open(int port, byte[] request) {
        try {
            var socket = new Socket(InetAddress.getLoopbackAddress(), port);
            socket.setSoTimeout(Timeouts.millis());
            socket.getOutputStream().write(request);
            return new RawStream(socket);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Sends more. */
    public void send(byte[] bytes) {
        try {
            socket.getOutputStream().write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads until this has come. */
    public void await(String expected) {
        try {
            InputStream in = socket.getInputStream();
            while (!text().contains(expected)) {
                int next = in.read();
                if (next < 0) {
                    throw new AssertionError("no " + expected + " in:\n" + text());
                }
                received.write(next);
            }
        } catch (IOException e) {
            throw new AssertionError("no " + expected + " in:\n" + text(), e);
        }
    }

    /** All that has come so far. */
    public String text() {
        return received.toString(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        Sockets.close(socket);
    }
}
