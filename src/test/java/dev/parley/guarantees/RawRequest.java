package dev.parley.guarantees;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * An HTTP request of any bytes.
 *
 * @param target as Latin-1, in which a character is a byte; so are the headers and the body
 * @param headers whole lines without their ends
 * @param chunk length of the body's chunks, or 0 to announce the body's length
 */
record RawRequest(String method, String target, List<String> headers, String body, int chunk) {

    /** Longest target that is read; a little less than the limit of the whole line. */
    private static final int MAX_TARGET = 199_000;

    private static final int MAX_CHUNKS = 1_000;

    byte[] bytes() {
        return bytes("Connection: close\r\n");
    }

    /** Before another one on the same connection (pipelining, RFC 9112 §9.3.2). */
    byte[] followedBy(RawRequest next) {
        var both = new ByteArrayOutputStream();
        both.writeBytes(bytes(""));
        both.writeBytes(next.bytes());
        return both.toByteArray();
    }

    private byte[] bytes(String connection) {
        var request = new ByteArrayOutputStream();
        request.writeBytes(latin1(method + " " + target + " HTTP/1.1\r\nHost: x\r\n"));
        headers.forEach(line -> request.writeBytes(latin1(line + "\r\n")));
        request.writeBytes(latin1(connection));
        if (chunk > 0) {
            request.writeBytes(latin1("Transfer-Encoding: chunked\r\n\r\n"));
            writeChunks(request);
        } else if (!body.isEmpty()) {
            request.writeBytes(latin1("Content-Length: " + body.length() + "\r\n\r\n" + body));
        } else {
            request.writeBytes(latin1("\r\n"));
        }
        return request.toByteArray();
    }

    private void writeChunks(ByteArrayOutputStream request) {
        int size = Math.max(chunk, body.length() / MAX_CHUNKS);
        for (int at = 0; at < body.length(); at += size) {
            String part = body.substring(at, Math.min(at + size, body.length()));
            String length = Integer.toHexString(part.length());
            request.writeBytes(latin1(length + "\r\n" + part + "\r\n"));
        }
        request.writeBytes(latin1("0\r\n\r\n"));
    }

    /** Whether it is one that reaches Parley: the framework refuses others without a word. */
    boolean hasUri() {
        try {
            return target.startsWith("/")
                    && target.length() <= MAX_TARGET
                    && !new URI(target).isOpaque();
        } catch (URISyntaxException e) {
            return false;
        }
    }

    /** As it would be typed: what is not printable ASCII is escaped. */
    @Override
    public String toString() {
        return "\n" + printable(bytes());
    }

    static String printable(byte[] bytes) {
        var text = new StringBuilder();
        for (byte b : bytes) {
            if (b == '\n') {
                text.append("\\n\n");
            } else if (b == '\\' || b < ' ' || b == 0x7F) {
                text.append("\\x%02x".formatted(b & 0xFF));
            } else {
                text.append((char) b);
            }
        }
        return text.length() > 3_000
                ? text.substring(0, 1_500) + " … " + text.substring(text.length() - 500)
                : text.toString();
    }

    private static byte[] latin1(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
