package dev.parley.sse;

import dev.parley.delivery.Connection;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.Http2Error;
import io.vertx.core.buffer.impl.BufferImpl;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.impl.ConnectionBase;

/**
 * A connection that cannot be taken over from the server, such as one on HTTP/2 or HTTP/1.0. Writes
 * to the server's response.
 */
final class ResponseConnection implements Connection {

    private final HttpServerRequest request;
    private final HttpServerResponse response;
    private final Runnable complete;

    /**
     * @param complete ends the exchange
     */
    ResponseConnection(HttpServerRequest request, Runnable complete) {
        this.request = request;
        this.response = request.response();
        this.complete = complete;
    }

    @Override
    public boolean isWritable() {
        return !response.writeQueueFull();
    }

    @Override
    public void write(byte[] bytes) {
        response.write(BufferImpl.buffer(Unpooled.wrappedBuffer(bytes)));
    }

    @Override
    public void end(byte[] last) {
        if (last.length > 0) {
            write(last);
        }
        complete.run();
        if (request.version() != HttpVersion.HTTP_2) {
            request.connection().close();
        }
    }

    @Override
    public void abort() {
        if (request.version() == HttpVersion.HTTP_2) {
            response.reset(Http2Error.CANCEL.code());
        } else {
            ChunkedConnection.cut(((ConnectionBase) request.connection()).channel());
        }
    }

    @Override
    public void onDrain(Runnable handler) {
        response.drainHandler(drained -> handler.run());
    }
}
