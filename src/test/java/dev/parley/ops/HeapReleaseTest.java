package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class HeapReleaseTest {

    private final AtomicInteger collections = new AtomicInteger();
    private final HeapRelease.Watch watch = new HeapRelease.Watch(collections::incrementAndGet);

    private int collectionsAfter(int... counts) {
        for (int count : counts) {
            watch.onCount(count);
        }
        return collections.get();
    }

    /** Begins with this many streams, for which the last collection is long ago. */
    private void given(int streams) {
        for (int i = 0; i < 3 * HeapRelease.Watch.LEAST_COUNTS; i++) {
            watch.onCount(streams);
        }
        collections.set(0);
    }

    @Test
    void manyStreamsThatEnded_areCollectedOnce_whenNoMoreEnd() {
        given(8_000);

        assertThat(collectionsAfter(6_000, 4_000, 2_000, 0)).isZero();
        assertThat(collectionsAfter(0)).isOne();
        assertThat(collectionsAfter(new int[20])).isOne();
    }

    @Test
    void manyStreamsThatBegan_areCollectedOnce_whenNoMoreBegin() {
        assertThat(collectionsAfter(0, 8_000, 19_000)).isZero();
        assertThat(collectionsAfter(19_000)).isOne();
        for (int i = 0; i < 20; i++) {
            watch.onCount(19_000);
        }
        assertThat(collections).hasValue(1);
    }

    @Test
    void streamsThatEndSlowly_areCollectedAtEachHalf() {
        given(8_000);

        int last = 0;
        for (int streams = 8_000; streams >= 0; streams -= 50) {
            last = collectionsAfter(streams);
        }

        // At 4,000, 2,000, 1,000 and 0.
        assertThat(last).isEqualTo(4);
    }

    @Test
    void streamsThatBeginSlowly_areCollectedAtEachDouble() {
        int last = 0;
        for (int streams = 0; streams <= 8_000; streams += 50) {
            last = collectionsAfter(streams);
        }

        // At 1,000, 2,000, 4,000 and 8,000.
        assertThat(last).isEqualTo(4);
    }

    @Test
    void lessThanHalfOrDouble_isNotCollected() {
        given(10_000);

        assertThat(collectionsAfter(5_100, 5_100)).isZero();
        assertThat(collectionsAfter(5_000, 5_000)).isOne();
        given(10_000);

        assertThat(collectionsAfter(19_900, 19_900)).isZero();
        assertThat(collectionsAfter(20_000, 20_000)).isOne();
    }

    @Test
    void fewerThanThousand_areNotCollected() {
        assertThat(collectionsAfter(999, 999, 0, 0)).isZero();
    }

    @Test
    void streamsThatComeAndGoAllTheTime_areCollectedOnceInTenCounts() {
        int last = 0;
        for (int i = 0; i < 100; i++) {
            last = collectionsAfter(5_000, 5_000, 0, 0);
        }

        assertThat(last).isEqualTo(400 / HeapRelease.Watch.LEAST_COUNTS);
    }
}
