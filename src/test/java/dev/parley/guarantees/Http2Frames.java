package dev.parley.guarantees;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;

/** The bytes of an HTTP/2 connection, as a client sends them (RFC 9113). */
final class Http2Frames {

    static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII);

    /** The methods, by their index in HPACK's static table (RFC 7541, appendix A). */
    static final byte GET = (byte) 0x82;

    static final byte POST = (byte) 0x83;

    private static final int HEADERS = 1;
    private static final int END_STREAM = 0x1;
    private static final int END_HEADERS = 0x4;
    private static final byte SCHEME_HTTP = (byte) 0x86;
    private static final byte PATH = 0x04;
    private static final byte AUTHORITY = 0x01;

    private Http2Frames() {}

    /**
     * A frame (RFC 9113 §4.1).
     *
     * @param missing the number of bytes that the frame announces and does not contain
     */
    static byte[] frame(int type, byte flags, int streamId, byte[] payload, int missing) {
        return ByteBuffer.allocate(9 + payload.length)
                .putInt(((payload.length + missing) << 8) | type)
                .put(flags)
                .putInt(streamId)
                .put(payload)
                .array();
    }

    /**
     * A HEADERS frame (RFC 9113 §6.2) of a request, in HPACK without compression.
     *
     * @param end whether the request has no body
     */
    static byte[] headers(boolean end, int streamId, byte method, String path) {
        var header = new ByteArrayOutputStream();
        header.writeBytes(new byte[] {method, SCHEME_HTTP, PATH, (byte) path.length()});
        header.writeBytes(path.getBytes(US_ASCII));
        header.writeBytes(new byte[] {AUTHORITY, 1, 'x'});
        int flags = end ? END_HEADERS | END_STREAM : END_HEADERS;
        return frame(HEADERS, (byte) flags, streamId, header.toByteArray(), 0);
    }
}
