package dev.parley.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * Bounds a connection to the management port. That port is for probes and Prometheus, but what
 * reaches it by mistake must not take the pod down, whose event loops and memory it shares.
 *
 * <p>The number of connections is limited. One more closes the one that has been open for longest,
 * so that a probe is answered while another program holds connections. HTTP/2 is not spoken,
 * because a hundred requests at a time on each connection would be no bound.
 */
final class ManagementGuard extends ChannelInboundHandlerAdapter {

    /** Far more than probes and scrapers need. */
    static final int MAX_CONNECTIONS = 100;

    /** The first letters of the preface of HTTP/2; no method that is answered begins with them. */
    private static final byte[] HTTP_2 = "PRI".getBytes(StandardCharsets.US_ASCII);

    /** In the order in which they were accepted. */
    private static final Set<Channel> OPEN = new LinkedHashSet<>();

    private int prefaceBytes;
    private boolean isHttp1;

    private ManagementGuard() {}

    /** Guards a connection that was just accepted. */
    static void guard(Channel channel) {
        channel.pipeline().addFirst(new ManagementGuard());
        synchronized (OPEN) {
            OPEN.add(channel);
            Iterator<Channel> oldest = OPEN.iterator();
            while (OPEN.size() > MAX_CONNECTIONS) {
                Channel closed = oldest.next();
                oldest.remove();
                closed.eventLoop().execute(() -> ConnectionGuard.cut(closed));
            }
        }
        channel.closeFuture()
                .addListener(
                        closed -> {
                            synchronized (OPEN) {
                                OPEN.remove(channel);
                            }
                        });
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (!isHttp1 && message instanceof ByteBuf bytes && beginsHttp2(bytes)) {
            ReferenceCountUtil.release(message);
            ConnectionGuard.cut(context.channel());
            return;
        }
        context.fireChannelRead(message);
    }

    private boolean beginsHttp2(ByteBuf bytes) {
        for (int at = bytes.readerIndex(); at < bytes.writerIndex(); at++) {
            if (bytes.getByte(at) != HTTP_2[prefaceBytes]) {
                isHttp1 = true;
                return false;
            }
            prefaceBytes++;
            if (prefaceBytes == HTTP_2.length) {
                return true;
            }
        }
        return false;
    }

    /** Vert.x removes every handler when a request changes the protocol to HTTP/2. */
    @Override
    public void handlerRemoved(ChannelHandlerContext removed) {
        if (removed.channel().isActive()) {
            ConnectionGuard.cut(removed.channel());
        }
    }
}
