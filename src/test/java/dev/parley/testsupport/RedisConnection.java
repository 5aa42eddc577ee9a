package dev.parley.testsupport;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A plain connection to a Redis server that speaks RESP 2. */
final class RedisConnection implements Closeable {

    private final Socket socket;
    private final InputStream in;

    private RedisConnection(Socket socket) throws IOException {
        this.socket = socket;
        this.in = new BufferedInputStream(socket.getInputStream());
    }

    /** Connects to a server on this machine; the timeout is for connecting and for each reply. */
    static RedisConnection open(int port, Duration timeout) {
        Socket socket = new Socket();
        try {
            int millis = Math.toIntExact(timeout.toMillis());
            socket.setSoTimeout(millis);
            socket.setTcpNoDelay(true);
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), millis);
            return new RedisConnection(socket);
        } catch (IOException e) {
            Sockets.close(socket);
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Sends a command and returns its reply.
     *
     * @throws RedisError if Redis answers with an error
     * @throws UncheckedIOException if there is no answer in time
     */
    RedisReply command(String... args) {
        try {
            send(args);
            return read();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void send(String... args) throws IOException {
        ByteArrayOutputStream request = new ByteArrayOutputStream();
        request.writeBytes(utf8("*" + args.length + "\r\n"));
        for (String arg : args) {
            byte[] bytes = utf8(arg);
            request.writeBytes(utf8("$" + bytes.length + "\r\n"));
            request.writeBytes(bytes);
            request.writeBytes(utf8("\r\n"));
        }
        request.writeTo(socket.getOutputStream());
    }

    private RedisReply read() throws IOException {
        String line = readLine();
        String rest = line.substring(1);
        return switch (line.charAt(0)) {
            case '+', ':' -> new RedisReply.Text(rest);
            case '-' -> throw new RedisError(rest);
            case '$' -> bulk(Integer.parseInt(rest));
            case '*' -> array(Integer.parseInt(rest));
            default -> throw new IOException("not RESP 2: " + line);
        };
    }

    private RedisReply bulk(int length) throws IOException {
        if (length < 0) {
            return new RedisReply.Nil();
        }
        byte[] bytes = in.readNBytes(length);
        if (bytes.length < length || in.skip(2) < 2) {
            throw new EOFException("Redis closed the connection");
        }
        return new RedisReply.Text(new String(bytes, StandardCharsets.UTF_8));
    }

    private RedisReply array(int length) throws IOException {
        if (length < 0) {
            return new RedisReply.Nil();
        }
        List<RedisReply> items = new ArrayList<>();
        for (int i = 0; i < length; i++) {
            items.add(read());
        }
        return new RedisReply.Items(List.copyOf(items));
    }

    private String readLine() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new EOFException("Redis closed the connection");
            }
            if (b != '\r') {
                line.write(b);
            }
        }
        return line.toString(StandardCharsets.UTF_8);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        Sockets.close(socket);
    }
}
