package dev.parley.http;

import io.vertx.core.http.HttpServerRequest;
import jakarta.ws.rs.core.HttpHeaders;
import java.io.ByteArrayOutputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** Decodes the {@code Content-Encoding} of a request body (RFC 9110 §8.4): gzip or none. */
public final class ContentCoding {

    private ContentCoding() {}

    /**
     * Decodes a body. No more than the longest body is ever decompressed, however small the
     * compressed one is.
     *
     * @param request has the header
     * @param maxBytes longest decoded body
     * @throws RefusedRequest if the coding is not known, the body is not in it, or is too long
     */
    public static byte[] decode(HttpServerRequest request, byte[] body, long maxBytes) {
        // Several lines are one list (RFC 9110 §5.3).
        String codings = String.join(",", request.headers().getAll(HttpHeaders.CONTENT_ENCODING));
        return switch (codings.strip().toLowerCase(Locale.ROOT)) {
            case "", "identity" -> body;
            case "gzip", "x-gzip" -> gunzip(body, maxBytes);
            default ->
                    throw new RefusedRequest(
                            ErrorCode.UNSUPPORTED_ENCODING,
                            "unsupported encoding: Content-Encoding is not gzip or identity");
        };
    }

    private static byte[] gunzip(byte[] body, long maxBytes) {
        int max = (int) Math.min(maxBytes, Integer.MAX_VALUE - 16);
        byte[] plain;
        try {
            plain = new Gzip(body).decode(max);
        } catch (DataFormatException | BufferUnderflowException e) {
            throw new RefusedRequest(
                    ErrorCode.BAD_REQUEST,
                    "bad request: the body is not complete and valid gzip, as Content-Encoding"
                            + " says");
        }
        if (plain.length > max) {
            throw new RefusedRequest(
                    ErrorCode.REQUEST_TOO_LARGE,
                    "request too large: at most " + max + " bytes are accepted, decompressed");
        }
        return plain;
    }

    /**
     * A body in gzip: members one after the other (RFC 1952 §2.2). The JDK's stream calls itself
     * for each member, so that one of 500 KB with empty members overflows the stack.
     */
    private static final class Gzip {

        private static final short MAGIC = 0x1F8B;
        private static final byte DEFLATE = 8;
        private static final int HEADER_CRC = 2;
        private static final int EXTRA = 4;
        private static final int NAME = 8;
        private static final int COMMENT = 16;

        /** The modification time, flags about the compression, and the system. */
        private static final int UNUSED = 6;

        private final ByteBuffer body;
        private final ByteArrayOutputStream plain = new ByteArrayOutputStream();

        Gzip(byte[] body) {
            this.body = ByteBuffer.wrap(body);
        }

        /** Decompresses to at most one byte more than this number. */
        byte[] decode(int max) throws DataFormatException {
            Inflater inflater = new Inflater(true);
            try {
                do {
                    readHeader();
                    inflater.reset();
                    readData(inflater, max);
                } while (plain.size() <= max && isAtMember());
            } finally {
                inflater.end();
            }
            return plain.toByteArray();
        }

        /** Tells whether another member follows. Anything else is ignored, as gzip(1) does. */
        private boolean isAtMember() {
            return body.remaining() >= 2 && body.getShort(body.position()) == MAGIC;
        }

        private void readHeader() throws DataFormatException {
            if (body.getShort() != MAGIC || body.get() != DEFLATE) {
                throw new DataFormatException("not gzip");
            }
            int flags = body.get();
            skip(UNUSED);
            if ((flags & EXTRA) != 0) {
                skip(Short.toUnsignedInt(Short.reverseBytes(body.getShort())));
            }
            for (int text : new int[] {NAME, COMMENT}) {
                if ((flags & text) != 0) {
                    skipText();
                }
            }
            if ((flags & HEADER_CRC) != 0) {
                skip(2);
            }
        }

        private void skip(int bytes) {
            if (bytes > body.remaining()) {
                throw new BufferUnderflowException();
            }
            body.position(body.position() + bytes);
        }

        private void skipText() {
            while (body.get() != 0) {
                // The next byte.
            }
        }

        private void readData(Inflater inflater, int max) throws DataFormatException {
            CRC32 checksum = new CRC32();
            byte[] buffer = new byte[Math.min(8_192, max + 1)];
            inflater.setInput(body);
            while (!inflater.finished()) {
                int count =
                        inflater.inflate(
                                buffer, 0, Math.min(buffer.length, max + 1 - plain.size()));
                if (count == 0 && !inflater.finished()) {
                    throw new DataFormatException("incomplete");
                }
                checksum.update(buffer, 0, count);
                plain.write(buffer, 0, count);
                if (plain.size() > max) {
                    return;
                }
            }
            if (Integer.reverseBytes(body.getInt()) != (int) checksum.getValue()
                    || Integer.reverseBytes(body.getInt()) != (int) inflater.getBytesWritten()) {
                throw new DataFormatException("wrong checksum or length");
            }
        }
    }
}
