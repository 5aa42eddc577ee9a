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

    @Test
    void manyStreamsThatEnded_areCollectedOnce_whenNoMoreEnd() {
        assertThat(collectionsAfter(0, 8_000, 19_000, 12_000, 3_000, 0)).isZero();
        assertThat(collectionsAfter(0)).isOne();
        assertThat(collectionsAfter(0, 0, 0)).isOne();
    }

    @Test
    void streamsThatEndSlowly_areCollectedAtEachHalf() {
        int last = 0;
        for (int streams = 8_000; streams >= 0; streams -= 50) {
            last = collectionsAfter(streams);
        }

        // At 4,000, 2,000, 1,000 and 0.
        assertThat(last).isEqualTo(4);
    }

    @Test
    void lessThanHalf_orFewerThanThousand_areNotCollected() {
        assertThat(collectionsAfter(19_000, 9_600, 9_600)).isZero();
        assertThat(collectionsAfter(9_500, 9_500)).isOne();

        collections.set(0);
        HeapRelease.Watch small = new HeapRelease.Watch(collections::incrementAndGet);
        small.onCount(999);
        small.onCount(0);
        small.onCount(0);
        assertThat(collections).hasValue(0);
    }

    @Test
    void streamsThatComeAgain_andLeaveAgain_areCollectedAgain() {
        assertThat(collectionsAfter(5_000, 0, 0, 5_000, 5_000, 0, 0)).isEqualTo(2);
    }
}
