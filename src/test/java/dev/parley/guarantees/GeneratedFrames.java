package dev.parley.guarantees;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;

/** What begins as HTTP/2 (RFC 9113 §3.4) and goes on with frames of anything. */
final class GeneratedFrames {

    private static final byte[] PREFACE =
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    /** The frame that has to come first, without a setting. */
    private static final byte[] SETTINGS = {0, 0, 0, 4, 0, 0, 0, 0, 0};

    private static final int HEADERS = 1;
    private static final int END_STREAM = 0x1;
    private static final int END_HEADERS = 0x4;
    private static final byte GET = (byte) 0x82;
    private static final byte POST = (byte) 0x83;
    private static final byte SCHEME_HTTP = (byte) 0x86;
    private static final byte PATH = 0x04;
    private static final byte AUTHORITY = 0x01;

    private GeneratedFrames() {}

    static Arbitrary<byte[]> connections() {
        Arbitrary<byte[]> first =
                Arbitraries.frequencyOf(
                        Tuple.of(4, Arbitraries.just(SETTINGS)), Tuple.of(1, frame()));
        Arbitrary<byte[]> others =
                Arbitraries.frequencyOf(Tuple.of(3, frame()), Tuple.of(1, request()));
        return Combinators.combine(first, others.list().ofMaxSize(8))
                .as(
                        (start, frames) -> {
                            var bytes = new ByteArrayOutputStream();
                            bytes.writeBytes(PREFACE);
                            bytes.writeBytes(start);
                            frames.forEach(bytes::writeBytes);
                            return bytes.toByteArray();
                        });
    }

    /** Of a known or unknown type, for a few streams, mostly as long as it says (RFC 9113 §4.1). */
    private static Arbitrary<byte[]> frame() {
        return Combinators.combine(
                        Arbitraries.integers().between(0, 11),
                        Arbitraries.bytes(),
                        streams(),
                        Arbitraries.bytes().array(byte[].class).ofMaxSize(30),
                        Arbitraries.of(0, 0, 0, 0, 0, 0, 1, 5, 20_000))
                .as(GeneratedFrames::frame);
    }

    /** HEADERS (RFC 9113 §6.2) that are whole, with or without a body to come. */
    private static Arbitrary<byte[]> request() {
        return Combinators.combine(
                        streams(),
                        Arbitraries.of("/events", "/send", "/nothing"),
                        Arbitraries.of(GET, POST),
                        Arbitraries.of(END_HEADERS, END_HEADERS | END_STREAM))
                .as(
                        (stream, path, method, flags) ->
                                frame(HEADERS, (byte) (int) flags, stream, head(method, path), 0));
    }

    private static Arbitrary<Integer> streams() {
        return Arbitraries.integers().between(0, 5);
    }

    /** In HPACK (RFC 7541, appendix A). */
    private static byte[] head(byte method, String path) {
        var head = new ByteArrayOutputStream();
        head.writeBytes(new byte[] {method, SCHEME_HTTP, PATH, (byte) path.length()});
        head.writeBytes(path.getBytes(StandardCharsets.US_ASCII));
        head.writeBytes(new byte[] {AUTHORITY, 1, 'x'});
        return head.toByteArray();
    }

    private static byte[] frame(int type, byte flags, int stream, byte[] payload, int more) {
        return ByteBuffer.allocate(9 + payload.length)
                .putInt(((payload.length + more) << 8) | type)
                .put(flags)
                .putInt(stream)
                .put(payload)
                .array();
    }
}
