package dev.parley.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WaitingOpeningTest {

    private static final String OPENING = "GET /events?room=r HTTP/1.1\r\nHost: a\r\n\r\n";

    private final OpeningTurn turn = new OpeningTurn();
    private final List<Runnable> tasks = new ArrayList<>();
    private final EmbeddedChannel channel =
            new EmbeddedChannel(new WaitingOpening(() -> turn), new ReadsEnded());
    private int readsEnded;

    @BeforeEach
    void endTheTurn() {
        for (int i = 0; i < OpeningTurn.AT_ONCE; i++) {
            turn.serve(() -> {}, false, tasks::add, Runnable::run);
        }
        assertThat(turn.isOver()).isTrue();
    }

    @AfterEach
    void beginTheNextTurn() {
        runTasks();
        assertThat(turn.isOver()).isFalse();
        channel.finishAndReleaseAll();
    }

    @Test
    void opening_whileTheTurnLasts_isPassedOnAtOnce() {
        runTasks();

        assertThat(read(OPENING)).isEqualTo(OPENING);
        assertThat(waits()).isFalse();
    }

    @Test
    void opening_whenTheTurnIsOver_isPassedOnInTheNext_andItsReadEnds() {
        // given
        assertThat(read(OPENING)).isEmpty();
        assertThat(waits()).isTrue();
        readsEnded = 0;

        // when
        runTasks();

        // then
        assertThat(passedOn()).isEqualTo(OPENING);
        assertThat(readsEnded).isOne();
        assertThat(waits()).isFalse();
    }

    @Test
    void openings_thatWait_areTakenFromTheirBuffers() {
        ByteBuf bytes = bytes(OPENING);

        channel.writeInbound(bytes);

        assertThat(bytes.refCnt()).isZero();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "POST /send?room=r HTTP/1.1\r\n\r\n",
                "GET /event",
                "GET /",
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\nGET /events HTTP/1.1\r\n\r\n"
            })
    void others_whenTheTurnIsOver_arePassedOnAtOnce(String first) {
        assertThat(read(first)).isEqualTo(first);
        assertThat(waits()).isFalse();
    }

    @Test
    void longOpening_whenTheTurnIsOver_isPassedOnAtOnce() {
        String head = "GET /events HTTP/1.1\r\nCookie: a=";
        String first = head + "x".repeat(WaitingOpening.MAX_BYTES - head.length() + 1);

        assertThat(read(first)).isEqualTo(first);
    }

    @Test
    void moreBytes_whileOneWaits_comeBehindIt_andBothOnce() {
        // given
        String more = "GET /clock HTTP/1.1\r\n\r\n";
        read(OPENING);

        // when
        String together = read(more);
        runTasks();

        // then
        assertThat(together).isEqualTo(OPENING + more);
        assertThat(passedOn()).isEmpty();
    }

    @Test
    void clientThatLeavesMeanwhile_hasNothingPassedOn() {
        // given
        read(OPENING);

        // when
        channel.close();
        runTasks();

        // then
        assertThat(passedOn()).isEmpty();
    }

    /** Returns what was passed on of the bytes that came. */
    private String read(String input) {
        channel.writeInbound(bytes(input));
        return passedOn();
    }

    private String passedOn() {
        var text = new StringBuilder();
        for (ByteBuf bytes = channel.readInbound(); bytes != null; bytes = channel.readInbound()) {
            text.append(bytes.toString(StandardCharsets.US_ASCII));
            bytes.release();
        }
        return text.toString();
    }

    private boolean waits() {
        return channel.pipeline().get(WaitingOpening.class) != null;
    }

    private void runTasks() {
        while (!tasks.isEmpty()) {
            tasks.remove(0).run();
        }
    }

    private static ByteBuf bytes(String text) {
        return Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII);
    }

    private final class ReadsEnded extends ChannelInboundHandlerAdapter {

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            readsEnded++;
            context.fireChannelReadComplete();
        }
    }
}
