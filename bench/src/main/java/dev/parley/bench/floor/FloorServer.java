package dev.parley.bench.floor;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;

/**
 * Brings each message that is published to all readers with one write for each of them, and does
 * nothing else: one room, no history, no ids that count. Its event has as many bytes as Parley's.
 */
public final class FloorServer extends FloorLoop {

    private static final int BUFFER = 256 * 1024;

    private static final byte[] BEFORE = "data: ".getBytes(US_ASCII);

    /** As long as an id of Parley's, though always the same one. */
    private static final byte[] AFTER = "\nid: floor0.0000000\n\n".getBytes(US_ASCII);

    private static final byte[] LINE_END = {'\r', '\n'};

    private final List<SocketChannel> readers = new ArrayList<>();
    private final ByteBuffer out = ByteBuffer.allocateDirect(BUFFER);

    private FloorServer() throws IOException {}

    /**
     * Serves until it is killed.
     *
     * @param args the port of 127.0.0.1
     */
    public static void main(String... args) throws IOException {
        new FloorServer().serve(Integer.parseInt(args[0]));
    }

    @Override
    void onStream(SocketChannel reader, String request) {
        readers.add(reader);
    }

    @Override
    void onClosed(SocketChannel channel) {
        readers.remove(channel);
    }

    /** Writes one chunk with one event to every reader. */
    @Override
    void onBody(byte[] text, int from, int length) {
        int size = BEFORE.length + length + AFTER.length;
        out.clear();
        out.put(Integer.toHexString(size).getBytes(US_ASCII)).put(LINE_END);
        out.put(BEFORE).put(text, from, length).put(AFTER).put(LINE_END).flip();
        // Backwards, because a reader that has left is removed.
        for (int i = readers.size() - 1; i >= 0; i--) {
            out.rewind();
            SocketChannel reader = readers.get(i);
            try {
                write(reader, out);
            } catch (IOException e) {
                close(reader);
            }
        }
    }
}
