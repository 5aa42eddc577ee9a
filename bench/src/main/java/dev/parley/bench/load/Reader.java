package dev.parley.bench.load;

import java.nio.channels.SocketChannel;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Reads one event stream. Parses only what is needed to find the body's lines. */
final class Reader {

    private static final int MAX_HEAD = 8192;

    /** Which part of a chunk the next byte belongs to. */
    private enum Body {
        SIZE,
        DATA,
        END
    }

    final SocketChannel channel;
    private final int room;
    private final String path;
    private final EventStreamChecker checker;
    private @Nullable StringBuilder head = new StringBuilder();
    private boolean chunked;
    private boolean ended;
    private Body body = Body.SIZE;
    private int leftInChunk;

    /**
     * Creates a reader whose request is still to be sent.
     *
     * @param room number of the room that it reads
     * @param path what it requests
     */
    Reader(SocketChannel channel, int room, String path, EventStreamChecker checker) {
        this.channel = channel;
        this.room = room;
        this.path = path;
        this.checker = checker;
    }

    int room() {
        return room;
    }

    String path() {
        return path;
    }

    EventStreamChecker checker() {
        return checker;
    }

    /** Whether the response has begun. */
    boolean isOpen() {
        return head == null;
    }

    /** Whether the response is complete. */
    boolean isEnded() {
        return ended;
    }

    /** Parses the bytes that were read from the connection. */
    void onBytes(byte[] bytes, int length, long now) {
        int at = head == null ? 0 : head(bytes, length);
        if (head != null) {
            return;
        }
        if (!chunked) {
            checker.scan(bytes, at, length, now);
            return;
        }
        while (at < length) {
            at = chunk(bytes, at, length, now);
        }
    }

    private int chunk(byte[] bytes, int from, int to, long now) {
        if (body == Body.DATA) {
            int end = Math.min(to, from + leftInChunk);
            checker.scan(bytes, from, end, now);
            leftInChunk -= end - from;
            body = leftInChunk == 0 ? Body.END : Body.DATA;
            return end;
        }
        byte b = bytes[from];
        if (body == Body.END) {
            body = b == '\n' ? Body.SIZE : Body.END;
        } else if (b == '\n') {
            ended = leftInChunk == 0;
            body = ended ? Body.END : Body.DATA;
        } else if (b != '\r') {
            leftInChunk = leftInChunk * 16 + Character.digit(b, 16);
        }
        return from + 1;
    }

    private int head(byte[] bytes, int length) {
        StringBuilder text = head;
        for (int i = 0; text != null && i < length; i++) {
            text.append((char) bytes[i]);
            int n = text.length();
            if (n > MAX_HEAD) {
                throw new IllegalStateException(
                        "the response head is longer than " + MAX_HEAD + " bytes");
            }
            if (bytes[i] == '\n' && n > 3 && text.charAt(n - 3) == '\n') {
                onHead(text.toString());
                return i + 1;
            }
        }
        return length;
    }

    private void onHead(String text) {
        if (!text.startsWith("HTTP/1.1 200")) {
            throw new IllegalStateException("refused: " + text.lines().findFirst().orElse(""));
        }
        chunked = text.toLowerCase(Locale.ROOT).contains("transfer-encoding: chunked");
        head = null;
    }
}
