package dev.parley.testsupport;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.function.Predicate;

/**
 * A TCP connection to an HTTP server on this machine. It sends any bytes, valid HTTP or not, and
 * records every byte that comes back.
 *
 * <p>A write never fails: a server may answer and close before it has read the whole request, and
 * then the answer is what the test is about. Each read continues after the bytes that earlier reads
 * have taken from the connection.
 */
public final class RawConnection implements Closeable {

    private final Socket socket;
    private final ByteArrayOutputStream received = new ByteArrayOutputStream();

    private RawConnection(Socket socket) {
        this.socket = socket;
    }

    /** Connects to a port of this machine and sends a request. */
    public static RawConnection open(int port, byte[] request) {
        return open(port, InetAddress.getLoopbackAddress(), request);
    }

    /** Connects from an address of this machine, such as 127.0.0.2, and sends a request. */
    public static RawConnection open(int port, InetAddress from, byte[] request) {
        try {
            var socket = new Socket(InetAddress.getLoopbackAddress(), port, from, 0);
            socket.setSoTimeout(Timeouts.millis());
            var connection = new RawConnection(socket);
            connection.send(request);
            return connection;
        } catch (BindException e) {
            requireOwn(from);
            throw new UncheckedIOException(e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** An address such as 127.0.0.66, to connect from. */
    public static InetAddress address(String written) {
        try {
            return InetAddress.getByName(written);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /**
     * Skips the calling test, or fails it in CI, where an address is not one of this machine: on
     * Linux each address 127.x.y.z is, and on macOS 127.0.0.1 alone.
     */
    static void requireOwn(InetAddress address) {
        try {
            new ServerSocket(0, 1, address).close();
        } catch (IOException e) {
            String written = address.getHostAddress();
            throw Tool.missing(
                    written
                            + " is not an address of this machine; on macOS: sudo ifconfig lo0 alias "
                            + written);
        }
    }

    /** Sends more bytes. */
    public void send(byte[] bytes) {
        try {
            socket.getOutputStream().write(bytes);
        } catch (IOException closedByServer) {
            // What the server sent before it closed is still there to be read.
        }
    }

    /** Sends FIN after the bytes sent so far, and still receives. */
    public void endOutput() {
        try {
            socket.shutdownOutput();
        } catch (IOException closedByServer) {
            // What the server sent before it closed is still there to be read.
        }
    }

    /** Reads up to the end of this text and no further; fails if the connection ends before. */
    public void await(String expected) {
        if (!readUntil(text -> text.contains(expected), 1)) {
            throw new AssertionError("connection ended without " + expected + ":\n" + text());
        }
    }

    /**
     * Reads until the condition holds for everything that has come so far.
     *
     * @return false if the server ends or resets the connection before the condition holds
     */
    public boolean readUntil(Predicate<String> condition) {
        return readUntil(condition, 8 * 1024);
    }

    private boolean readUntil(Predicate<String> condition, int bytesPerRead) {
        try {
            InputStream in = recorded();
            byte[] buffer = new byte[bytesPerRead];
            long deadline = System.nanoTime() + Timeouts.LIMIT.toNanos();
            while (!condition.test(text())) {
                if (in.read(buffer) < 0) {
                    return false;
                }
                // A stream may have heartbeats for ever.
                if (System.nanoTime() - deadline > 0) {
                    throw new AssertionError("what was expected did not come:\n" + text());
                }
            }
            return true;
        } catch (SocketTimeoutException e) {
            throw new AssertionError("connection is silent; so far:\n" + text(), e);
        } catch (IOException reset) {
            return false;
        }
    }

    /** Reads until the server ends or resets the connection. */
    public void readToEnd() {
        readUntil(text -> false);
    }

    /**
     * Reads one answer up to the length that its header announces. Nothing may have been read from
     * the connection before. An answer that breaks off or is not HTTP ends the read.
     */
    public void readAnswer() {
        try {
            HttpAnswer.read(recorded()).body().readAllBytes();
        } catch (SocketTimeoutException e) {
            throw new AssertionError("answer is incomplete; so far:\n" + text(), e);
        } catch (IOException brokenOff) {
            // What has come so far is recorded.
        }
    }

    /** Everything that has come so far, header included. */
    public String text() {
        return received.toString(StandardCharsets.UTF_8);
    }

    /** The same as bytes. */
    public byte[] bytes() {
        return received.toByteArray();
    }

    /** The first answer in what has come so far. */
    public HttpAnswer answer() {
        try {
            return HttpAnswer.read(new ByteArrayInputStream(received.toByteArray()));
        } catch (IOException e) {
            throw new AssertionError(e.getMessage() + ":\n" + text(), e);
        }
    }

    /** Resets the connection (RST). */
    public void reset() {
        Sockets.reset(socket);
    }

    @Override
    public void close() {
        Sockets.close(socket);
    }

    /** The socket's input; bytes that are read from it are added to {@link #received}. */
    private InputStream recorded() throws IOException {
        InputStream in = socket.getInputStream();
        return new HttpAnswer.ByteStream() {
            @Override
            public int read(byte[] buffer, int offset, int length) throws IOException {
                int count = in.read(buffer, offset, length);
                received.write(buffer, offset, Math.max(0, count));
                return count;
            }
        };
    }
}
