package dev.parley.publish;

import dev.parley.http.ErrorCode;
import dev.parley.http.RefusedRequest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Locale;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/** Decodes the {@code Content-Encoding} of a request body (RFC 9110 §8.4): gzip or none. */
final class ContentCoding {

    private ContentCoding() {}

    /**
     * Decodes a body. No more than the longest body is ever decompressed, however small the
     * compressed one is.
     *
     * @param coding the header; null if the request has none
     * @param maxBytes longest decoded body
     * @throws RefusedRequest if the coding is not known, the body is not in it, or is too long
     */
    static byte[] decode(@Nullable String coding, byte[] body, long maxBytes) {
        String name = coding == null ? "" : coding.strip().toLowerCase(Locale.ROOT);
        return switch (name) {
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
        try (var gzip = new GZIPInputStream(new ByteArrayInputStream(body))) {
            plain = gzip.readNBytes(max + 1);
        } catch (IOException e) {
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
}
