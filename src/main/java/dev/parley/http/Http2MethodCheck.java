package dev.parley.http;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameListener;
import io.netty.handler.codec.http2.Http2FrameListenerDecorator;
import io.netty.handler.codec.http2.Http2Headers;

/**
 * Removes a method that is not a token (RFC 9110 §9.1) from a request, so that Vert.x resets its
 * stream, as it does without a method. Netty does not check the method; Vert.x would throw an
 * exception that closes the connection, with the streams of all other clients if it is that of a
 * proxy.
 *
 * <p>It is in place from the first answer of a connection on. Before that, Vert.x has no place for
 * it, and no stream of another client has begun to be answered.
 */
final class Http2MethodCheck extends Http2FrameListenerDecorator {

    private Http2MethodCheck(Http2FrameListener server) {
        super(server);
    }

    /**
     * Puts the check between Netty and Vert.x.
     *
     * @return false if the connection does not have Vert.x's part of HTTP/2 yet
     */
    static boolean install(ChannelPipeline pipeline) {
        if (!(pipeline.get(ServerHandlers.SERVER) instanceof Http2ConnectionHandler http2)) {
            return false;
        }
        Http2ConnectionDecoder decoder = http2.decoder();
        Http2FrameListener server = decoder.frameListener();
        if (server instanceof Http2ConnectionHandler) {
            // Vert.x replaces it when it has read the client's settings, without writing anything.
            return false;
        }
        decoder.frameListener(new Http2MethodCheck(server));
        return true;
    }

    @Override
    public void onHeadersRead(
            ChannelHandlerContext context,
            int stream,
            Http2Headers headers,
            int padding,
            boolean endOfStream)
            throws Http2Exception {
        removeUnlessToken(headers);
        super.onHeadersRead(context, stream, headers, padding, endOfStream);
    }

    @Override
    public void onHeadersRead(
            ChannelHandlerContext context,
            int stream,
            Http2Headers headers,
            int streamDependency,
            short weight,
            boolean exclusive,
            int padding,
            boolean endOfStream)
            throws Http2Exception {
        removeUnlessToken(headers);
        super.onHeadersRead(
                context,
                stream,
                headers,
                streamDependency,
                weight,
                exclusive,
                padding,
                endOfStream);
    }

    private static void removeUnlessToken(Http2Headers headers) {
        CharSequence method = headers.method();
        if (method != null && !isMethod(method.toString())) {
            headers.remove(Http2Headers.PseudoHeaderName.METHOD.value());
        }
    }

    private static boolean isMethod(String name) {
        try {
            HttpMethod.valueOf(name);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
