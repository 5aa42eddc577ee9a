package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.delivery.Batches.Batch;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class BatchesTest {

    private final RoomLog log = new RoomLog("e", 0, 100, 1 << 30, new LogBudget(1 << 30));
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final HubMeters meters = new HubMeters(registry);

    @Test
    void batch_isEverythingFromTheCursorToTheHead_asOnePiece() {
        append(5, 4);

        try (var batches = new Batches(log, meters)) {
            Batch batch = batches.after(2, Format.TEXT);

            assertThat(batch.count()).isEqualTo(3);
            assertThat(batch.last()).isEqualTo(5);
            assertThat(text(batch)).isEqualTo("e-3 xxxx\ne-4 xxxx\ne-5 xxxx\n");
        }
    }

    @Test
    void whatWasDelivered_isCountedAtTheEndOfTheRound() {
        append(3, 4);

        try (var batches = new Batches(log, meters)) {
            batches.delivered(batches.after(0, Format.TEXT));
            batches.delivered(batches.after(1, Format.TEXT));
        }

        assertThat(registry.get("parley.deliveries").counter().count()).isEqualTo(5);
        assertThat(registry.get("parley.delivered.bytes").counter().count())
                .isEqualTo(5 * "e-1 xxxx\n".length());
    }

    @Test
    void singleMessage_isSentAsItsFrameIs() {
        append(5, 4);

        try (var batches = new Batches(log, meters)) {
            assertThat(batches.after(4, Format.TEXT).payload().bytes())
                    .isSameAs(log.frame(5).bytes(Format.TEXT));
        }
    }

    @Test
    void messages_thatArriveAfterTheRoundBegan_areForTheNextOne() {
        append(2, 4);

        try (var batches = new Batches(log, meters)) {
            append(2, 4);

            assertThat(batches.head()).isEqualTo(2);
            assertThat(batches.after(0, Format.TEXT).last()).isEqualTo(2);
        }
    }

    @Test
    void longBacklog_isCutAfterTheWriteThatReachesTheBound() {
        append(9, 32 * 1024 - "e-1 \n".length());

        try (var batches = new Batches(log, meters)) {
            assertThat(batches.after(0, Format.TEXT).count()).isEqualTo(2);
            assertThat(batches.after(8, Format.TEXT).count()).isOne();
        }
    }

    @Test
    void cursor_thatTheLogHasLeftBehind_hasNoBatch() {
        append(150, 4);

        try (var batches = new Batches(log, meters)) {
            assertThat(batches.after(49, Format.TEXT)).isNull();
            assertThat(batches.after(50, Format.TEXT).count()).isEqualTo(100);
        }
    }

    @Test
    void readersAtOnePlace_shareABatch_andEachFormatHasItsOwn() {
        append(5, 4);

        try (var batches = new Batches(log, meters)) {
            Batch shared = batches.after(2, Format.TEXT);

            assertThat(batches.after(2, Format.JSON)).isNotSameAs(shared);
            assertThat(batches.after(2, Format.TEXT)).isSameAs(shared);
            assertThat(batches.after(3, Format.TEXT).count()).isEqualTo(2);
        }
    }

    @Test
    void transportsMemory_isGivenBack_whenAnotherBatchIsMade_andAtTheEnd() {
        append(5, 4);
        ByteBuf first;
        ByteBuf second;

        try (var batches = new Batches(log, meters)) {
            first = framed(batches.after(2, Format.TEXT));
            assertThat(framed(batches.after(2, Format.TEXT))).isSameAs(first);
            second = framed(batches.after(3, Format.TEXT));

            assertThat(first.refCnt()).isZero();
            assertThat(second.refCnt()).isOne();
        }

        assertThat(second.refCnt()).isZero();
    }

    private static ByteBuf framed(Batch batch) {
        return batch.payload().framed(Unpooled::copiedBuffer);
    }

    private static String text(Batch batch) {
        return new String(batch.payload().bytes(), StandardCharsets.UTF_8);
    }

    private void append(int count, int length) {
        for (int i = 0; i < count; i++) {
            log.append(TestMessages.frame(log.head() + 1, "x".repeat(length)));
        }
    }
}
