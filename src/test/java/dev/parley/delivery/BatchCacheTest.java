package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.delivery.DeliveryLoop.BatchCache;
import dev.parley.delivery.DeliveryLoop.BatchCache.Batch;
import dev.parley.log.Format;
import dev.parley.log.RoomLog;
import dev.parley.log.TestMessages;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class BatchCacheTest {

    private final RoomLog log = TestMessages.emptyLog();
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final DeliveryMeters meters = new DeliveryMeters(registry);

    @Test
    void batch_joinsEverythingFromTheCursorToTheHead() {
        append(5, 4);

        try (var batches = new BatchCache(log, meters, 0)) {
            Batch batch = batches.after(2, Format.TEXT);

            assertThat(batch.count()).isEqualTo(3);
            assertThat(batch.last()).isEqualTo(5);
            assertThat(text(batch)).isEqualTo("e-3 xxxx\ne-4 xxxx\ne-5 xxxx\n");
        }
    }

    @Test
    void messagesThatHaveExpired_areLeftOut_andTheCursorMovesBeyondThem() {
        append(1, 4);
        TestMessages.appendExpired(log);
        append(1, 4);
        TestMessages.appendExpired(log);

        try (var batches = new BatchCache(log, meters, 0)) {
            Batch all = batches.after(0, Format.TEXT);
            assertThat(text(all)).isEqualTo("e-1 xxxx\ne-3 xxxx\n");
            assertThat(all.count()).isEqualTo(2);
            assertThat(all.last()).isEqualTo(4);
            assertThat(all.endsWithExpired()).isTrue();

            Batch one = batches.after(1, Format.TEXT);
            assertThat(text(one)).isEqualTo("e-3 xxxx\n");
            assertThat(one.count()).isOne();
            assertThat(one.last()).isEqualTo(4);

            Batch none = batches.after(3, Format.TEXT);
            assertThat(none.count()).isZero();
            assertThat(none.last()).isEqualTo(4);

            append(1, 4);
        }
        try (var batches = new BatchCache(log, meters, 0)) {
            assertThat(batches.after(0, Format.TEXT).endsWithExpired()).isFalse();
        }
    }

    @Test
    void deliveries_areCountedAtTheEndOfTheRound() {
        append(3, 4);

        try (var batches = new BatchCache(log, meters, 0)) {
            batches.delivered(batches.after(0, Format.TEXT));
            batches.delivered(batches.after(1, Format.TEXT));
        }

        assertThat(registry.get("parley.deliveries").counter().count()).isEqualTo(5);
        assertThat(registry.get("parley.delivered.bytes").counter().count())
                .isEqualTo(5 * "e-1 xxxx\n".length());
    }

    @Test
    void singleMessage_isSentWithoutCopyingItsFrame() {
        append(5, 4);

        try (var batches = new BatchCache(log, meters, 0)) {
            assertThat(batches.after(4, Format.TEXT).buffer().bytes())
                    .isSameAs(log.frame(5).bytes(Format.TEXT));
        }
    }

    @Test
    void messages_thatArriveAfterTheRoundBegan_belongToTheNextRound() {
        append(2, 4);

        try (var batches = new BatchCache(log, meters, 0)) {
            append(2, 4);

            assertThat(batches.head()).isEqualTo(2);
            assertThat(batches.after(0, Format.TEXT).last()).isEqualTo(2);
        }
    }

    @Test
    void longBacklog_isCutAfterTheMessageThatReachesTheBound() {
        append(9, 32 * 1024 - "e-1 \n".length());

        try (var batches = new BatchCache(log, meters, 0)) {
            assertThat(batches.after(0, Format.TEXT).count()).isEqualTo(2);
            assertThat(batches.after(8, Format.TEXT).count()).isOne();
        }
    }

    @Test
    void cursor_behindTheLog_hasNoBatch() {
        append(150, 4);

        try (var batches = new BatchCache(log, meters, 0)) {
            assertThat(batches.after(49, Format.TEXT)).isNull();
            assertThat(batches.after(50, Format.TEXT).count()).isEqualTo(100);
        }
    }

    @Test
    void cursorsAtOneOffset_shareABatch_perFormat() {
        append(5, 4);

        try (var batches = new BatchCache(log, meters, 0)) {
            Batch shared = batches.after(2, Format.TEXT);

            assertThat(batches.after(2, Format.JSON)).isNotSameAs(shared);
            assertThat(batches.after(2, Format.TEXT)).isSameAs(shared);
            assertThat(batches.after(3, Format.TEXT).count()).isEqualTo(2);
        }
    }

    @Test
    void transportsForm_isReleased_whenAnotherBatchIsMade_andAtTheEndOfTheRound() {
        append(5, 4);
        Prepared first;
        Prepared second;

        try (var batches = new BatchCache(log, meters, 0)) {
            first = prepared(batches.after(2, Format.TEXT));
            assertThat(prepared(batches.after(2, Format.TEXT))).isSameAs(first);
            second = prepared(batches.after(3, Format.TEXT));

            assertThat(first.released).isTrue();
            assertThat(second.released).isFalse();
        }

        assertThat(second.released).isTrue();
    }

    /** A transport's form of a batch, which records whether it was released. */
    private static final class Prepared implements Connection.SharedBuffer.Prepared {

        private boolean released;

        @Override
        public void release() {
            released = true;
        }
    }

    private static Prepared prepared(Batch batch) {
        return batch.buffer().prepared(Prepared.class, bytes -> new Prepared());
    }

    private static String text(Batch batch) {
        return new String(batch.buffer().bytes(), StandardCharsets.UTF_8);
    }

    private void append(int count, int length) {
        TestMessages.append(log, count, length);
    }
}
