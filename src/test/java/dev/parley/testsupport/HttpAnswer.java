package dev.parley.testsupport;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * An HTTP/1.1 answer that is read from a stream of bytes.
 *
 * @param headers names in any case
 * @param body without its transfer coding; a read returns the bytes that have arrived and waits
 *     only if there are none
 */
public record HttpAnswer(int status, Map<String, List<String>> headers, InputStream body) {

    /** Reads the header, past interim answers (100 Continue), and leaves the body to be read. */
    static HttpAnswer read(InputStream in) throws IOException {
        int status = status(readLine(in));
        Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        for (String line = readLine(in); !line.isEmpty(); line = readLine(in)) {
            int colon = line.indexOf(':');
            if (colon < 1) {
                throw new IOException("not a header line: " + line);
            }
            headers.computeIfAbsent(line.substring(0, colon), name -> new ArrayList<>())
                    .add(line.substring(colon + 1).strip());
        }
        if (status == 100) {
            return read(in);
        }
        return new HttpAnswer(status, headers, body(status, headers, in));
    }

    /** The first value of a header, or the empty string. */
    public String header(String name) {
        return headers.getOrDefault(name, List.of("")).get(0);
    }

    /** Reads the body as text. */
    public String text() {
        try {
            return new String(body.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int status(String line) throws IOException {
        if (!line.matches("HTTP/1\\.[01] \\d{3}( .*)?")) {
            throw new IOException("not a status line: " + line);
        }
        return Integer.parseInt(line.substring(9, 12));
    }

    private static InputStream body(int status, Map<String, List<String>> headers, InputStream in)
            throws IOException {
        List<String> length = headers.getOrDefault("Content-Length", List.of());
        List<String> coding = headers.getOrDefault("Transfer-Encoding", List.of());
        if (status == 204 || status == 304) {
            return new ByteArrayInputStream(new byte[0]);
        }
        if (!coding.isEmpty()) {
            if (!coding.equals(List.of("chunked"))) {
                throw new IOException("unknown transfer coding " + coding);
            }
            return new Chunked(in);
        }
        return length.isEmpty() ? in : new Bounded(in, Long.parseLong(length.get(0)));
    }

    /** Reads up to a line feed, and returns the line without its end. */
    static String readLine(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new EOFException("the server closed the connection");
            }
            line.write(b);
        }
        String text = line.toString(StandardCharsets.ISO_8859_1);
        return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
    }

    /** An input stream whose single-byte read is a read of one byte into an array. */
    abstract static class ByteStream extends InputStream {

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public abstract int read(byte[] buffer, int offset, int length) throws IOException;
    }

    /** A body whose length the header has announced. */
    private static final class Bounded extends ByteStream {

        private final InputStream in;
        private long left;

        Bounded(InputStream in, long length) {
            this.in = in;
            this.left = length;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            if (left == 0) {
                return -1;
            }
            int count = in.read(buffer, offset, (int) Math.min(left, length));
            if (count < 0) {
                throw new EOFException(left + " bytes of the body are missing");
            }
            left -= count;
            return count;
        }
    }

    /** A body in chunks (RFC 9112 §7.1), which may arrive in pieces of any size. */
    private static final class Chunked extends ByteStream {

        private final InputStream in;
        private long leftInChunk;
        private boolean inside;
        private boolean ended;

        Chunked(InputStream in) {
            this.in = in;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            if (leftInChunk == 0 && !ended) {
                nextChunk();
            }
            if (ended) {
                return -1;
            }
            int count = in.read(buffer, offset, (int) Math.min(leftInChunk, length));
            if (count < 0) {
                throw new EOFException("the connection ended inside a chunk");
            }
            leftInChunk -= count;
            return count;
        }

        private void nextChunk() throws IOException {
            if (inside && !readLine(in).isEmpty()) {
                throw new IOException("a chunk is longer than its announced size");
            }
            String size = readLine(in).split(";", 2)[0].strip();
            if (!size.matches("[0-9A-Fa-f]{1,15}")) {
                throw new IOException("not a chunk size: " + size);
            }
            leftInChunk = Long.parseLong(size, 16);
            inside = true;
            if (leftInChunk == 0) {
                ended = true;
                skipTrailers();
            }
        }

        private void skipTrailers() throws IOException {
            String line = readLine(in);
            while (!line.isEmpty()) {
                line = readLine(in);
            }
        }
    }
}
