package dev.parley.http;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http2Frames;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.vertx.core.Vertx;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class Http2FrameGuardTest {

    @AutoClose("close")
    private final Vertx vertx = Vertx.vertx();

    private final AtomicInteger passed = new AtomicInteger();

    private final EmbeddedChannel channel =
            new EmbeddedChannel(
                    new ChannelInboundHandlerAdapter() {
                        @Override
                        public void channelRead(ChannelHandlerContext context, Object message) {
                            ByteBuf bytes = (ByteBuf) message;
                            passed.addAndGet(bytes.readableBytes());
                            bytes.release();
                        }
                    });

    @Test
    void requestsOfOneRead_waitUntilOtherConnectionsHadATurn() {
        ServerBounds bounds = TestBounds.of(vertx);
        ConnectionGuard.guard(channel, bounds);
        ByteBuf first = requests(0, 1_000, Http2Frames.connection());
        ByteBuf second = requests(1_000, 1_000, Http2Frames.more());
        int all = first.readableBytes() + second.readableBytes();
        // The loop handles this between two turns.
        AtomicInteger passedBeforeOther = new AtomicInteger();

        channel.pipeline().fireChannelRead(first);
        channel.pipeline().fireChannelRead(second);
        channel.pipeline().fireChannelReadComplete();
        channel.eventLoop().execute(() -> passedBeforeOther.set(passed.get()));

        assertThat(passed.get()).isLessThan(all / 100);
        assertThat(channel.config().isAutoRead()).isFalse();
        assertThat(bounds.heads().held()).isGreaterThanOrEqualTo(all - passed.get());

        channel.runPendingTasks();

        assertThat(passedBeforeOther.get()).isBetween(1, all / 50);
        assertThat(passed.get()).isEqualTo(all);
        assertThat(channel.config().isAutoRead()).isTrue();
        assertThat(first.refCnt() + second.refCnt()).isZero();
    }

    @Test
    void requestsThatWait_areReleasedWhenTheConnectionCloses() {
        ServerBounds bounds = TestBounds.of(vertx);
        ConnectionGuard.guard(channel, bounds);
        ByteBuf requests = requests(0, 1_000, Http2Frames.connection());
        channel.pipeline().fireChannelRead(requests);
        channel.pipeline().fireChannelReadComplete();

        channel.close();
        channel.runPendingTasks();

        assertThat(requests.refCnt()).isZero();
        assertThat(bounds.heads().held()).isZero();
    }

    @Test
    void requestsBehindTheFirst_whileTooManyForStreamsWait_waitBehindThem() {
        // given
        Queue<Runnable> tasks = openingsThatWait();
        ServerBounds bounds = TestBounds.of(vertx);
        ConnectionGuard.guard(channel, bounds);
        ByteBuf requests = requests(0, 100, Http2Frames.connection());
        int all = requests.readableBytes();

        // when
        channel.pipeline().fireChannelRead(requests);
        channel.pipeline().fireChannelReadComplete();
        channel.runPendingTasks();

        // then
        int prefaceAndSettings = 24 + 9;
        int request = (all - prefaceAndSettings) / 100;
        assertThat(passed.get()).isEqualTo(prefaceAndSettings + request);
        assertThat(channel.config().isAutoRead()).isFalse();
        assertThat(bounds.heads().held()).isGreaterThanOrEqualTo(all - passed.get());
        while (!tasks.isEmpty()) {
            tasks.remove().run();
        }
        channel.runPendingTasks();
        assertThat(passed.get()).isEqualTo(all);
        assertThat(channel.config().isAutoRead()).isTrue();
    }

    @Test
    void http1_whileTooManyForStreamsWait_isPassedOn() {
        // given
        openingsThatWait();
        ConnectionGuard.guard(channel, TestBounds.of(vertx));
        ByteBuf request = Unpooled.copiedBuffer("POST /send HTTP/1.1\r\n\r\n", US_ASCII);
        int all = request.readableBytes();

        // when
        channel.pipeline().fireChannelRead(request);

        // then
        assertThat(passed.get()).isEqualTo(all);
    }

    /** Makes as many requests for streams wait as may, and returns the tasks that serve them. */
    private static Queue<Runnable> openingsThatWait() {
        Queue<Runnable> tasks = new ArrayDeque<>();
        for (int i = 0; i < OpeningTurn.AT_ONCE + OpeningTurn.MAX_OF_HTTP_2; i++) {
            OpeningTurn.current().serve(() -> {}, true, tasks::add, Runnable::run);
        }
        return tasks;
    }

    private static ByteBuf requests(int first, int count, Http2Frames frames) {
        for (int i = first; i < first + count; i++) {
            frames.get(2 * i + 1, "/rooms/a/messages");
        }
        return Unpooled.wrappedBuffer(frames.toBytes());
    }
}
