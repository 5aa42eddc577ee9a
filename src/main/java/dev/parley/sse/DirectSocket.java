package dev.parley.sse;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelOutboundHandler;
import io.netty.channel.unix.Socket;
import io.netty.channel.unix.UnixChannel;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;

/**
 * The socket of a connection to which nothing is done on the way, such as encryption: bytes may go
 * into it (send(2)) without a detour through the channel, as long as none wait there. There is one
 * with the native transport only. Used on the connection's event loop only.
 */
final class DirectSocket {

    private final Channel channel;
    private final Socket socket;

    private DirectSocket(Channel channel, Socket socket) {
        this.channel = channel;
        this.socket = socket;
    }

    /** The socket into which this handler's bytes go as they are, if they do. */
    static Optional<DirectSocket> before(ChannelHandlerContext handler) {
        Channel channel = handler.channel();
        if (channel instanceof UnixChannel unix
                && unix.fd() instanceof Socket socket
                && isFirstToWrite(handler)) {
            return Optional.of(new DirectSocket(channel, socket));
        }
        return Optional.empty();
    }

    /**
     * Sends as much as the socket takes at this moment. Errors are the channel's to meet: it closes
     * the connection.
     *
     * @param bytes outside of the heap; not changed
     * @return how many bytes were sent, perhaps none
     */
    int send(ByteBuf bytes) {
        ChannelOutboundBuffer waiting = channel.unsafe().outboundBuffer();
        if (waiting == null || waiting.totalPendingWriteBytes() > 0) {
            return 0;
        }
        try {
            return socket.sendAddress(
                    bytes.memoryAddress(), bytes.readerIndex(), bytes.writerIndex());
        } catch (IOException e) {
            return 0;
        }
    }

    private static boolean isFirstToWrite(ChannelHandlerContext handler) {
        for (Map.Entry<String, ChannelHandler> entry : handler.pipeline()) {
            if (entry.getKey().equals(handler.name())) {
                return true;
            }
            if (entry.getValue() instanceof ChannelOutboundHandler) {
                return false;
            }
        }
        return false;
    }
}
