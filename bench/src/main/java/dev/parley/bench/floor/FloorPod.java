package dev.parley.bench.floor;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Brings the messages that a Parley publishes to readers at another process: subscribes to the
 * channel of each room that is read here, and writes each message once, to the room's only reader.
 * No history, no comparison with Redis, no second reader. The event has the bytes of Parley's.
 *
 * <p>It reads what {@code publish.lua} announces, {@code <room> <id> <at> <body>}, and of the body
 * the text, which it takes to be free of characters that JSON escapes, as the load client's is.
 */
public final class FloorPod extends FloorLoop {

    private static final int BUFFER = 1024 * 1024;
    private static final Pattern ROOM = Pattern.compile("room=(\\w+)");
    private static final byte[] TEXT = "\"text\":\"".getBytes(US_ASCII);
    private static final byte[] BEFORE = "data: ".getBytes(US_ASCII);
    private static final byte[] ID = "\nid: ".getBytes(US_ASCII);
    private static final byte[] AFTER = "\n\n".getBytes(US_ASCII);
    private static final byte[] LINE_END = {'\r', '\n'};

    private final SocketChannel redis;
    private final Map<String, SocketChannel> readers = new HashMap<>();
    private final byte[] bytes = new byte[BUFFER];
    private final ByteBuffer in = ByteBuffer.wrap(bytes);
    private final ByteBuffer out = ByteBuffer.allocateDirect(BUFFER);

    /** Where the next element begins in the bytes from Redis. */
    private int at;

    /** Where the present element begins, and where it ends. */
    private int from;

    private int to;

    private FloorPod(int redisPort) throws IOException {
        redis =
                SocketChannel.open(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), redisPort));
        register(redis, this::readRedis);
    }

    /**
     * Serves until it is killed.
     *
     * @param args the port of 127.0.0.1, and that of Redis
     */
    public static void main(String... args) throws IOException {
        new FloorPod(Integer.parseInt(args[1])).serve(Integer.parseInt(args[0]));
    }

    @Override
    void onStream(SocketChannel reader, String request) throws IOException {
        Matcher room = ROOM.matcher(request);
        if (!room.find()) {
            throw new IOException("a stream without a room");
        }
        String channel = "parley:{" + room.group(1) + "}:live";
        readers.put(channel, reader);
        write(redis, ByteBuffer.wrap(("SUBSCRIBE " + channel + "\r\n").getBytes(US_ASCII)));
    }

    @Override
    void onClosed(SocketChannel channel) {
        if (channel.equals(redis)) {
            throw new IllegalStateException("Redis has gone");
        }
        readers.values().remove(channel);
    }

    /** Messages are published at another server. */
    @Override
    void onBody(byte[] text, int from, int length) {}

    private void readRedis() throws IOException {
        if (redis.read(in) < 0) {
            throw new IOException("Redis has ended the connection");
        }
        at = 0;
        int taken = 0;
        while (takePush()) {
            taken = at;
        }
        in.flip().position(taken);
        in.compact();
    }

    /**
     * Takes what Redis pushes next: an array of three, a confirmation or a message.
     *
     * @return false if it has not come wholly
     */
    private boolean takePush() throws IOException {
        boolean hasSize = next();
        if (!hasSize || !next()) {
            return false;
        }
        boolean message = bytes[from] == 'm';
        if (!next()) {
            return false;
        }
        String channel = new String(bytes, from, to - from, US_ASCII);
        if (!next()) {
            return false;
        }
        SocketChannel reader = readers.get(channel);
        if (message && reader != null) {
            deliver(reader);
        }
        return true;
    }

    /**
     * Moves to the next element in the bytes that Redis has sent (RESP): an array's number of
     * elements, an integer, or a string.
     *
     * @return false if it has not come wholly
     */
    private boolean next() {
        int end = indexOf('\r', at, in.position());
        if (end < 0) {
            return false;
        }
        from = at + 1;
        to = end;
        if (bytes[at] == '$') {
            int length = Integer.parseInt(new String(bytes, from, to - from, US_ASCII));
            from = end + LINE_END.length;
            to = from + length;
        }
        at = to + LINE_END.length;
        return at <= in.position();
    }

    /** Writes the announcement at which the last element is as one chunk with one event. */
    private void deliver(SocketChannel reader) throws IOException {
        int id = indexOf(' ', from, to) + 1;
        int idEnd = indexOf(' ', id, to);
        int text = idEnd;
        while (!Arrays.equals(bytes, text, text + TEXT.length, TEXT, 0, TEXT.length)) {
            text++;
        }
        text += TEXT.length;
        int textEnd = indexOf('"', text, to);
        int size = BEFORE.length + (textEnd - text) + ID.length + (idEnd - id) + AFTER.length;
        out.clear();
        out.put(Integer.toHexString(size).getBytes(US_ASCII)).put(LINE_END);
        out.put(BEFORE).put(bytes, text, textEnd - text);
        out.put(ID).put(bytes, id, idEnd - id).put(AFTER).put(LINE_END).flip();
        try {
            write(reader, out);
        } catch (IOException e) {
            close(reader);
        }
    }

    private int indexOf(char wanted, int start, int end) {
        for (int i = start; i < end; i++) {
            if (bytes[i] == wanted) {
                return i;
            }
        }
        return -1;
    }
}
