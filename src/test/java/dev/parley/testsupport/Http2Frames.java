package dev.parley.testsupport;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** Bytes that an HTTP/2 client sends, valid or not (RFC 9113). */
public final class Http2Frames {

    public static final int DATA = 0;
    public static final int HEADERS = 1;
    public static final int PRIORITY = 2;
    public static final int RST_STREAM = 3;
    public static final int SETTINGS = 4;
    public static final int PING = 6;
    public static final int GOAWAY = 7;
    public static final int WINDOW_UPDATE = 8;
    public static final int CONTINUATION = 9;

    public static final int END_STREAM = 1;
    public static final int ACK = 1;
    public static final int END_HEADERS = 4;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    private Http2Frames() {}

    /**
     * A frame that was received.
     *
     * @param length of the payload
     * @param error the error code of RST_STREAM and GOAWAY; 0 for others
     */
    public record Frame(int type, int flags, int stream, int length, int error) {

        /** NO_ERROR (RFC 9113 §7). */
        public static final int NO_ERROR = 0;

        /** PROTOCOL_ERROR (RFC 9113 §7). */
        public static final int PROTOCOL_ERROR = 1;

        /** REFUSED_STREAM (RFC 9113 §7). */
        public static final int REFUSED_STREAM = 7;

        /** CANCEL (RFC 9113 §7). */
        public static final int CANCEL = 8;

        /** ENHANCE_YOUR_CALM (RFC 9113 §7). */
        public static final int ENHANCE_YOUR_CALM = 11;
    }

    /** Begins a connection: the preface and empty settings. */
    public static Http2Frames connection() {
        return preface().frame(SETTINGS, 0, 0);
    }

    /** Begins a connection on which the server may send nothing but headers: its window is 0. */
    public static Http2Frames connectionWithoutWindow() {
        return connectionWithWindow(0);
    }

    /** Begins a connection on which the server may send this number of bytes on each stream. */
    public static Http2Frames connectionWithWindow(int bytes) {
        // SETTINGS_INITIAL_WINDOW_SIZE
        byte[] setting = ByteBuffer.allocate(6).putShort((short) 4).putInt(bytes).array();
        return preface().frame(SETTINGS, 0, 0, setting);
    }

    private static Http2Frames preface() {
        var frames = new Http2Frames();
        frames.bytes.writeBytes(
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        return frames;
    }

    /** Continues a connection. */
    public static Http2Frames more() {
        return new Http2Frames();
    }

    /** Adds a whole GET. */
    public Http2Frames get(int stream, String path) {
        return request(stream, fields(path));
    }

    /** Adds a whole request without a body, of this header block. */
    public Http2Frames request(int stream, byte[] fields) {
        return frame(HEADERS, END_STREAM | END_HEADERS, stream, fields);
    }

    /** Adds any frame. */
    public Http2Frames frame(int type, int flags, int stream, int... payload) {
        byte[] octets = new byte[payload.length];
        for (int i = 0; i < payload.length; i++) {
            octets[i] = (byte) payload[i];
        }
        return frame(type, flags, stream, octets);
    }

    /** Adds any frame. */
    public Http2Frames frame(int type, int flags, int stream, byte[] payload) {
        bytes.writeBytes(ByteBuffer.allocate(4).putInt(payload.length << 8 | type).array());
        bytes.write(flags);
        bytes.writeBytes(ByteBuffer.allocate(4).putInt(stream).array());
        bytes.writeBytes(payload);
        return this;
    }

    /** Adds a WINDOW_UPDATE. */
    public Http2Frames window(int stream, int increment) {
        return frame(WINDOW_UPDATE, 0, stream, ByteBuffer.allocate(4).putInt(increment).array());
    }

    public byte[] toBytes() {
        return bytes.toByteArray();
    }

    /**
     * The header block of a GET of a path by http, and an authority, without compression (RFC 7541
     * §6.2.2).
     */
    public static byte[] fields(String path) {
        return fields(0x82, path);
    }

    /** The same of a POST of plain text. */
    public static byte[] postFields(String path) {
        var block = new ByteArrayOutputStream();
        block.writeBytes(fields(0x83, path));
        block.writeBytes(field("content-type", "text/plain"));
        return block.toByteArray();
    }

    /** The same of a POST of a form. */
    public static byte[] formFields(String path) {
        var block = new ByteArrayOutputStream();
        block.writeBytes(fields(0x83, path));
        block.writeBytes(field("content-type", "application/x-www-form-urlencoded"));
        return block.toByteArray();
    }

    /** The same of a POST of plain text with this length. */
    public static byte[] postFields(String path, int length) {
        var block = new ByteArrayOutputStream();
        block.writeBytes(postFields(path));
        block.writeBytes(field("content-length", Integer.toString(length)));
        return block.toByteArray();
    }

    /**
     * @param method the index of the method in HPACK's static table, and 0x80
     */
    private static byte[] fields(int method, String path) {
        var block = new ByteArrayOutputStream();
        block.write(method);
        block.write(0x86);
        literal(block, 4, path);
        literal(block, 1, "x");
        return block.toByteArray();
    }

    /** One more field of a header block. */
    public static byte[] field(String name, String value) {
        var block = new ByteArrayOutputStream();
        block.write(0);
        string(block, name);
        string(block, value);
        return block.toByteArray();
    }

    private static void literal(ByteArrayOutputStream block, int name, String value) {
        block.write(name);
        string(block, value);
    }

    /** A string whose length is an integer with a prefix of 7 bits (RFC 7541 §5.1, §5.2). */
    private static void string(ByteArrayOutputStream block, String value) {
        int length = value.length();
        if (length < 127) {
            block.write(length);
        } else {
            block.write(127);
            int rest = length - 127;
            while (rest >= 128) {
                block.write(rest % 128 + 128);
                rest /= 128;
            }
            block.write(rest);
        }
        block.writeBytes(value.getBytes(StandardCharsets.US_ASCII));
    }

    /** Reads the whole frames that have come on a connection. */
    public static List<Frame> received(RawConnection connection) {
        return parse(connection.bytes());
    }

    /** Reads from a connection until this number of frames has come. */
    public static void await(RawConnection connection, Predicate<Frame> wanted, int count) {
        if (!connection.readUntil(
                text -> received(connection).stream().filter(wanted).count() >= count)) {
            throw new AssertionError("connection ended after " + received(connection));
        }
    }

    private static List<Frame> parse(byte[] received) {
        List<Frame> frames = new ArrayList<>();
        ByteBuffer in = ByteBuffer.wrap(received);
        while (in.remaining() >= 9) {
            int lengthAndType = in.getInt();
            int length = lengthAndType >>> 8;
            int type = lengthAndType & 0xFF;
            int flags = in.get();
            int stream = in.getInt() & Integer.MAX_VALUE;
            if (in.remaining() < length) {
                break;
            }
            int error =
                    switch (type) {
                        case RST_STREAM -> in.getInt(in.position());
                        case GOAWAY -> in.getInt(in.position() + 4);
                        default -> 0;
                    };
            in.position(in.position() + length);
            frames.add(new Frame(type, flags, stream, length, error));
        }
        return frames;
    }
}
