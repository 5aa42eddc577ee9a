package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.util.ReferenceCountUtil;
import io.vertx.core.Vertx;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Counts beside Netty's own decoder. */
class Http1LineGuardTest {

    private static final String GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final String CHUNKED =
            "POST /send HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

    @AutoClose("close")
    private final Vertx vertx = Vertx.vertx();

    private final ServerBounds bounds = TestBounds.of(vertx);
    private final EmbeddedChannel channel = new EmbeddedChannel(new HttpRequestDecoder());
    private int requests;

    /** What was counted when a request was passed on. */
    private final List<Long> heldAtRequests = new ArrayList<>();

    Http1LineGuardTest() {
        ConnectionGuard.guard(channel, bounds);
        ConnectionGuard connection = channel.pipeline().get(ConnectionGuard.class);
        channel.pipeline()
                .addLast(
                        new ChannelInboundHandlerAdapter() {
                            @Override
                            public void channelRead(ChannelHandlerContext context, Object message) {
                                if (message instanceof HttpContent content) {
                                    connection.onDecoded(content.content());
                                }
                                if (message instanceof HttpRequest) {
                                    requests++;
                                    heldAtRequests.add(guard().held());
                                }
                                ReferenceCountUtil.release(message);
                            }
                        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET / HTTP/1.1\r\n",
                GET + "GET / HTTP/1.1\r\n",
                CHUNKED + "5\r\nhello\r\n0\r\n",
                CHUNKED + "5\r\na\r\n\r\n\r\n0\r\n"
            })
    void linesWithoutEnd_countAsHeaders(String before) {
        read(before + "a:\r\n".repeat(1_000));

        assertThat(held()).isBetween(124_000L, 126_000L);
    }

    @Test
    void linesWithoutEnd_countAlthoughTheyComeBehindABody_ofTheSameRead() {
        read("POST /send HTTP/1.1\r\nContent-Length: 60000\r\n\r\n" + "\n".repeat(30_000));

        read("\n".repeat(30_000) + GET.strip() + "\r\na:\r\n");

        assertThat(held()).isBetween(300L, 500L);
    }

    @Test
    void linesBeforeChunks_countNoLongerThanTheyAreHeld() {
        read(CHUNKED + "1\r\na\r\n2\r\n\n\n\r\n".repeat(1_000) + "1\r\na\r\n".repeat(1_000));
        read("1\r\na\r\n".repeat(1_000));

        // Their bytes, without what a line takes in memory.
        assertThat(held()).isLessThanOrEqualTo(5_000 + 2 * 120);

        read("1\r\na");

        assertThat(held()).isLessThanOrEqualTo(3);
    }

    @Test
    void lineBeforeAChunk_counts() {
        read(CHUNKED + "5;" + "a".repeat(4_000));

        assertThat(held()).isBetween(4_000L, 4_200L);
    }

    @Test
    void lineThatComesInPieces_counts() {
        for (byte octet : "GET / HTTP/1.1\r\na: b\r\n".getBytes(StandardCharsets.US_ASCII)) {
            read(Character.toString(octet));
        }

        assertThat(held()).isEqualTo(22 + 2 * 120);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                GET,
                "GET / HTTP/1.1\n\n",
                GET + GET,
                CHUNKED + "1\r\na\r\n0\r\na:\r\na:\r\n\r\n",
                "POST /send HTTP/1.1\r\nContent-Length: 3\r\n\r\na\nb",
                "POST /send HTTP/1.1\r\nContent-Length: 60000\r\n\r\nsome text\n\nmore of it",
                // A line end behind a body, which is skipped.
                "POST /send HTTP/1.1\r\nContent-Length: 3\r\n\r\na\nb\r\n",
                "POST /send HTTP/1.1\r\nContent-Length: 3\r\n\r\na\nb\n",
                "POST /send HTTP/1.1\r\nContent-Length: 3\r\n\r\na\nb\r",
                GET + "\r\n"
            })
    void whatIsComplete_doesNotCount(String requestsAndBodies) {
        read(requestsAndBodies);

        assertThat(held()).isZero();
        assertThat(requests).isPositive();
    }

    @Test
    void completeHead_doesNotCount_howeverItIsCut() {
        for (int cut = 1; cut < GET.length(); cut++) {
            read(GET.substring(0, cut));
            assertThat(held()).isPositive();

            read(GET.substring(cut));

            assertThat(held()).isZero();
            assertThat(requests).isEqualTo(cut);
        }
        // A request may be answered at once, and what is held then is of the next one.
        assertThat(heldAtRequests).containsOnly(0L);
    }

    /** An old client sends a line end behind a body, which is no part of the next head. */
    @ParameterizedTest
    @ValueSource(strings = {"\r\n", "\n"})
    void lineEndBehindABody_doesNotCount_howeverItIsCut(String lineEnd) {
        String post = "POST /send HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
        for (int cut = post.length() - 3; cut <= post.length() + lineEnd.length(); cut++) {
            String all = post + lineEnd;
            read(all.substring(0, cut));
            read(all.substring(cut));

            assertThat(held()).isZero();
        }
        read("GET / HTTP/1.1\r\n");
        assertThat(held()).isEqualTo(16 + 120);
    }

    @Test
    void bytesOfABody_doNotCount_inAnyNumberOfReads() {
        read("POST /send HTTP/1.1\r\nContent-Length: 60000\r\n\r\n");
        for (int i = 0; i < 60; i++) {
            read("line\n".repeat(200));

            assertThat(held()).isZero();
        }
    }

    /** The decoder releases the input before it passes the last request on. */
    @Test
    void bufferOfTheInput_mayBeUsedAgainForTheAnswer() {
        List<ByteBuf> answers = new ArrayList<>();
        channel.pipeline()
                .addAfter(
                        channel.pipeline().context(HttpRequestDecoder.class).name(),
                        null,
                        new ChannelInboundHandlerAdapter() {
                            @Override
                            public void channelRead(ChannelHandlerContext context, Object message) {
                                answers.add(
                                        pooled("an answer that is longer than its request" + GET));
                                context.fireChannelRead(message);
                            }
                        });

        channel.pipeline().fireChannelRead(pooled(GET));

        assertThat(requests).isOne();
        assertThat(answers).allMatch(answer -> answer.refCnt() == 1);
        answers.forEach(ReferenceCountUtil::release);
    }

    private static ByteBuf pooled(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        return PooledByteBufAllocator.DEFAULT.heapBuffer(1_024).writeBytes(bytes);
    }

    @Test
    void inputIsReleased() {
        ByteBuf input = Unpooled.copiedBuffer(GET + "GET", StandardCharsets.US_ASCII);

        channel.pipeline().fireChannelRead(input);
        channel.pipeline().fireChannelReadComplete();
        channel.close();
        channel.runPendingTasks();

        assertThat(input.refCnt()).isZero();
        assertThat(bounds.heads().held()).isZero();
    }

    private void read(String text) {
        channel.pipeline().fireChannelRead(Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII));
        channel.pipeline().fireChannelReadComplete();
    }

    private Http1LineGuard guard() {
        return channel.pipeline().get(Http1LineGuard.class);
    }

    private long held() {
        return bounds.heads().held();
    }
}
