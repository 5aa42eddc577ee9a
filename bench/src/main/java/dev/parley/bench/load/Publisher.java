package dev.parley.bench.load;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/**
 * One publisher: a keep-alive connection. It sends a request only after the previous one was
 * answered, so its messages have an order.
 */
final class Publisher {

    private static final byte[] CONTENT_LENGTH =
            "content-length:".getBytes(StandardCharsets.US_ASCII);

    final SocketChannel channel;
    final int number;
    private final byte[] request;
    private final int textAt;
    private final ByteBuffer out;
    private final byte[] response = new byte[4096];
    private final ByteBuffer in = ByteBuffer.wrap(response);
    private int next;
    private long sentAt;
    private long dueAt;

    Publisher(int number, InetSocketAddress server, InetSocketAddress source, LoadOptions options)
            throws IOException {
        this.number = number;
        byte[] text = MessageText.blank(options.size());
        byte[] head =
                ("POST "
                                + options.sendPath(number)
                                + " HTTP/1.1\r\nHost: bench\r\nContent-Type: text/plain\r\nContent-Length: "
                                + text.length
                                + "\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII);
        request = new byte[head.length + text.length];
        System.arraycopy(head, 0, request, 0, head.length);
        System.arraycopy(text, 0, request, head.length, text.length);
        textAt = head.length;
        out = ByteBuffer.allocateDirect(request.length);
        channel = SocketChannel.open();
        channel.bind(source);
        channel.connect(server);
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        channel.configureBlocking(false);
    }

    /** Number of the next message to publish. */
    int next() {
        return next;
    }

    /** When the last request was sent, on the clock of {@link MessageText#now}. */
    long sentAt() {
        return sentAt;
    }

    /** When the last request should have been sent, on the clock of {@link MessageText#now}. */
    long dueAt() {
        return dueAt;
    }

    /**
     * Publishes the next message, or the last one again if it was not accepted.
     *
     * @param due when this message should have been sent, on the clock of {@link MessageText#now}
     */
    void send(long due) throws IOException {
        MessageText.fill(request, textAt, number, next, due);
        dueAt = due;
        sentAt = MessageText.now();
        out.clear().put(request).flip();
        while (out.hasRemaining()) {
            channel.write(out);
        }
        in.clear();
    }

    /**
     * Reads what has arrived of the response.
     *
     * @return its status if it is complete, otherwise 0
     */
    int read() throws IOException {
        if (channel.read(in) < 0) {
            throw new IOException("the server closed a publisher's connection");
        }
        int length = in.position();
        int end = headEnd(length);
        if (end < 0 || length < end + contentLength(end)) {
            return 0;
        }
        int status = (response[9] - '0') * 100 + (response[10] - '0') * 10 + response[11] - '0';
        if (status / 100 == 2) {
            next++;
        }
        return status;
    }

    private int headEnd(int length) {
        for (int i = 3; i < length; i++) {
            if (response[i] == '\n' && response[i - 2] == '\n') {
                return i + 1;
            }
        }
        return -1;
    }

    private int contentLength(int headEnd) {
        for (int i = 1; i < headEnd; i++) {
            if (response[i - 1] == '\n' && isContentLength(i)) {
                return number(i + CONTENT_LENGTH.length);
            }
        }
        return 0;
    }

    private boolean isContentLength(int at) {
        for (int i = 0; i < CONTENT_LENGTH.length; i++) {
            if ((response[at + i] | 0x20) != (CONTENT_LENGTH[i] | 0x20)) {
                return false;
            }
        }
        return true;
    }

    private int number(int at) {
        int value = 0;
        for (int i = at; response[i] != '\r'; i++) {
            if (response[i] != ' ') {
                value = value * 10 + response[i] - '0';
            }
        }
        return value;
    }
}
