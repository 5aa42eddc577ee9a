package dev.parley.http;

import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.util.Map;

/**
 * Estimates the heap that a request takes while it is not answered. A header of four bytes takes
 * thirty times as much, so the number of bytes does not measure it.
 */
final class RequestCost {

    /** A piece of a body, beside its bytes: a chunk, or a DATA frame of HTTP/2. */
    static final int PIECE = 100;

    /** A header, beside its name and its value. */
    static final int HEADER = 120;

    /** Heads up to this are not counted: those of browsers, and of most programs. */
    private static final int USUAL_HEAD = 4 * 1024;

    /** The objects of the server for a stream of HTTP/2. */
    private static final int HTTP_2_STREAM = 6 * 1024;

    private RequestCost() {}

    /**
     * Returns the bytes to count for a request. A request with a usual head counts nothing on
     * HTTP/1, where the number of connections bounds that of requests.
     */
    static long of(HttpServerRequest request) {
        long head = ofHead(request.uri(), request.headers());
        return request.version() == HttpVersion.HTTP_2 ? HTTP_2_STREAM + head : ofLargeHead(head);
    }

    /**
     * Returns the bytes to count for a request that becomes a stream of events, if it is permitted:
     * the number of streams bounds that of such requests. While it is not known whether it is, a
     * {@link WaitingRequest} counts the rest.
     */
    static long ofStream(HttpServerRequest request) {
        return ofLargeHead(ofHead(request.uri(), request.headers()));
    }

    private static long ofLargeHead(long head) {
        return head > USUAL_HEAD ? head : 0;
    }

    /** Returns the bytes of a head. */
    static long ofHead(String target, Iterable<Map.Entry<String, String>> headers) {
        long bytes = target.length();
        for (Map.Entry<String, String> header : headers) {
            bytes += HEADER + header.getKey().length() + header.getValue().length();
        }
        return bytes;
    }
}
