package dev.parley.bench.load;

import java.nio.channels.SocketChannel;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** One event stream: takes the response apart as far as counting needs, and no further. */
final class Reader {

    private static final int MAX_HEAD = 8192;

    /** States of the chunked body. */
    private enum Body {
        SIZE,
        DATA,
        END
    }

    final SocketChannel channel;
    private final int room;
    private final EventLines lines;
    private @Nullable StringBuilder head = new StringBuilder();
    private boolean chunked;
    private boolean ended;
    private Body body = Body.SIZE;
    private int left;

    /**
     * @param room number of the room that it reads
     */
    Reader(SocketChannel channel, int room, EventLines lines) {
        this.channel = channel;
        this.room = room;
        this.lines = lines;
    }

    int room() {
        return room;
    }

    EventLines lines() {
        return lines;
    }

    boolean isOpen() {
        return head == null;
    }

    /** Whether the response is complete. */
    boolean isEnded() {
        return ended;
    }

    /** Takes what was read. */
    void take(byte[] bytes, int length, long now) {
        int at = head == null ? 0 : head(bytes, length);
        if (head != null) {
            return;
        }
        if (!chunked) {
            lines.scan(bytes, at, length, now);
            return;
        }
        while (at < length) {
            at = chunk(bytes, at, length, now);
        }
    }

    private int chunk(byte[] bytes, int from, int to, long now) {
        if (body == Body.DATA) {
            int end = Math.min(to, from + left);
            lines.scan(bytes, from, end, now);
            left -= end - from;
            body = left == 0 ? Body.END : Body.DATA;
            return end;
        }
        byte b = bytes[from];
        if (body == Body.END) {
            body = b == '\n' ? Body.SIZE : Body.END;
        } else if (b == '\n') {
            ended = left == 0;
            body = ended ? Body.END : Body.DATA;
        } else if (b != '\r') {
            left = left * 16 + Character.digit(b, 16);
        }
        return from + 1;
    }

    private int head(byte[] bytes, int length) {
        StringBuilder text = head;
        for (int i = 0; text != null && i < length; i++) {
            text.append((char) bytes[i]);
            int n = text.length();
            if (n > MAX_HEAD) {
                throw new IllegalStateException("endless response head");
            }
            if (bytes[i] == '\n' && n > 3 && text.charAt(n - 3) == '\n') {
                headComplete(text.toString());
                return i + 1;
            }
        }
        return length;
    }

    private void headComplete(String text) {
        if (!text.startsWith("HTTP/1.1 200")) {
            throw new IllegalStateException("refused: " + text.lines().findFirst().orElse(""));
        }
        chunked = text.toLowerCase(Locale.ROOT).contains("transfer-encoding: chunked");
        head = null;
    }
}
