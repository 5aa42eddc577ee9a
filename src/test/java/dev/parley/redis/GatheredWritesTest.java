package dev.parley.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.NetClientOptions;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetSocket;
import io.vertx.core.net.impl.NetSocketInternal;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class GatheredWritesTest {

    private static final int COMMANDS = 20;

    private final Vertx vertx = Vertx.vertx();
    private final Context context = vertx.getOrCreateContext();
    private NetServer server;

    @BeforeEach
    void startEchoServer() {
        server =
                await(
                        vertx.createNetServer()
                                .connectHandler(socket -> socket.handler(socket::write))
                                .listen(0, "127.0.0.1"));
    }

    @AfterEach
    void close() {
        await(vertx.close());
    }

    @Test
    void whatIsWrittenInOneTurn_goesOutInOneFlush() {
        AtomicInteger flushes = new AtomicInteger();
        NetSocket socket = connect(flushes);
        flushes.set(0);
        var echoed = new CompletableFuture<Void>();
        Buffer received = Buffer.buffer();

        context.runOnContext(
                turn -> {
                    socket.handler(
                            bytes -> {
                                received.appendBuffer(bytes);
                                if (received.length() == COMMANDS) {
                                    echoed.complete(null);
                                }
                            });
                    for (int i = 0; i < COMMANDS; i++) {
                        socket.write("x");
                    }
                });

        assertThat(echoed).succeedsWithin(30, TimeUnit.SECONDS);
        assertThat(flushes).hasValue(1);
    }

    @Test
    void closingTheClients_closesTheConnection() {
        var closed = new CompletableFuture<Void>();
        NetSocket socket = connect(new AtomicInteger());
        socket.closeHandler(closed::complete);

        await(vertx.close());

        assertThat(closed).succeedsWithin(30, TimeUnit.SECONDS);
    }

    /** Connects, and counts what reaches the socket. */
    private NetSocket connect(AtomicInteger flushes) {
        var connected = new CompletableFuture<NetSocket>();
        context.runOnContext(
                turn ->
                        GatheredWrites.on(vertx)
                                .createNetClient(new NetClientOptions())
                                .connect(server.actualPort(), "127.0.0.1")
                                .onSuccess(
                                        socket -> {
                                            ((NetSocketInternal) socket)
                                                    .channelHandlerContext()
                                                    .pipeline()
                                                    .addFirst(new FlushCounter(flushes));
                                            connected.complete(socket);
                                        })
                                .onFailure(connected::completeExceptionally));
        return await(connected);
    }

    private static <T> T await(io.vertx.core.Future<T> future) {
        return await(future.toCompletionStage().toCompletableFuture());
    }

    private static <T> T await(CompletableFuture<T> future) {
        return future.orTimeout(30, TimeUnit.SECONDS).join();
    }

    private static final class FlushCounter extends ChannelOutboundHandlerAdapter {

        private final AtomicInteger flushes;

        FlushCounter(AtomicInteger flushes) {
            this.flushes = flushes;
        }

        @Override
        public void flush(ChannelHandlerContext context) {
            flushes.incrementAndGet();
            context.flush();
        }
    }
}
