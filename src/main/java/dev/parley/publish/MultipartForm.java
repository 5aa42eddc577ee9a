package dev.parley.publish;

import dev.parley.http.ErrorCode;
import dev.parley.http.RefusedRequest;
import dev.parley.http.UrlEncodedForm;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.multipart.Attribute;
import io.netty.handler.codec.http.multipart.DefaultHttpDataFactory;
import io.netty.handler.codec.http.multipart.FileUpload;
import io.netty.handler.codec.http.multipart.HttpPostMultipartRequestDecoder;
import io.netty.handler.codec.http.multipart.HttpPostRequestDecoder.EndOfDataDecoderException;
import io.netty.handler.codec.http.multipart.HttpPostRequestDecoder.TooManyFormFieldsException;
import io.netty.handler.codec.http.multipart.InterfaceHttpData;
import jakarta.ws.rs.core.MediaType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Reads a {@code multipart/form-data} body (RFC 7578), as a page sends it with {@code fetch(url,
 * {method: "POST", body: new FormData(form)})}. Everything stays in memory; files are refused.
 */
final class MultipartForm {

    /** The body is complete and bounded, so the parser needs no bound of what it buffers. */
    private static final int UNBOUNDED = -1;

    private static final boolean ON_DISK = false;

    private MultipartForm() {}

    /**
     * Returns the bytes of the fields; of several fields of one name the first one.
     *
     * @throws RefusedRequest if the body is malformed, is cut off, has too many parts, or has a
     *     file
     */
    static Map<String, byte[]> read(MediaType type, byte[] body) {
        var request = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, "/send");
        String boundary = type.getParameters().getOrDefault("boundary", "");
        request.headers()
                .set(
                        HttpHeaderNames.CONTENT_TYPE,
                        "multipart/form-data; boundary=\"" + boundary + '"');
        if (boundary.isEmpty()) {
            throw malformed();
        }
        HttpPostMultipartRequestDecoder decoder = null;
        try {
            decoder =
                    new HttpPostMultipartRequestDecoder(
                            new DefaultHttpDataFactory(ON_DISK),
                            request,
                            StandardCharsets.UTF_8,
                            UrlEncodedForm.MAX_FIELDS,
                            UNBOUNDED);
            decoder.offer(new DefaultHttpContent(onHeap(body)));
            // Only after this does the parser say whether it has seen the last boundary.
            decoder.offer(LastHttpContent.EMPTY_LAST_CONTENT);
            return fields(decoder);
        } catch (TooManyFormFieldsException e) {
            throw UrlEncodedForm.tooManyFields();
        } catch (RefusedRequest e) {
            throw e;
        } catch (RuntimeException e) {
            // Malformed bodies make the parser throw exceptions of many kinds.
            throw malformed();
        } finally {
            if (decoder != null) {
                decoder.destroy();
            }
        }
    }

    /**
     * Returns the bytes in memory of the heap, from an allocator that gives the parser no other.
     * Such memory needs no release whatever way parsing ends. The allocator is not a constant,
     * because a native executable cannot hold one that was made when it was built.
     */
    private static ByteBuf onHeap(byte[] bytes) {
        return new UnpooledByteBufAllocator(false).heapBuffer(bytes.length).writeBytes(bytes);
    }

    /** Reads the parts up to the last boundary, at which the parser throws. */
    private static Map<String, byte[]> fields(HttpPostMultipartRequestDecoder decoder) {
        Map<String, byte[]> fields = new HashMap<>();
        try {
            while (decoder.hasNext()) {
                InterfaceHttpData part = decoder.next();
                if (part instanceof Attribute field) {
                    fields.putIfAbsent(field.getName(), bytes(field));
                } else if (part instanceof FileUpload file && !isEmptyInput(file)) {
                    throw new RefusedRequest(
                            ErrorCode.BAD_FORM,
                            "bad form: it has a file; only the fields msg, room, from, event and"
                                    + " ttl are expected");
                }
            }
        } catch (EndOfDataDecoderException complete) {
            return fields;
        }
        throw malformed();
    }

    private static byte[] bytes(Attribute field) {
        try {
            return field.get();
        } catch (IOException e) {
            // Fields are in memory.
            throw new UncheckedIOException(e);
        }
    }

    /** Tells whether this is what a browser sends for a file input without a file. */
    private static boolean isEmptyInput(FileUpload file) {
        return file.length() == 0 && file.getFilename().isEmpty();
    }

    private static RefusedRequest malformed() {
        return new RefusedRequest(
                ErrorCode.BAD_FORM,
                "bad form: the body is not complete multipart/form-data with the boundary that"
                        + " Content-Type names");
    }
}
