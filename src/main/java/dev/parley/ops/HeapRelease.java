package dev.parley.ops;

import dev.parley.delivery.Hub;
import io.quarkus.runtime.StartupEvent;
import io.vertx.core.Vertx;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.time.Duration;

/**
 * Collects garbage once after many streams have ended, so that the JVM gives back the memory that
 * they took, and once after many have begun, so that it gives back what opening them took. A JVM
 * shrinks its heap when it has collected all of it, and it does that when the heap fills up, which
 * does not happen on a pod that has become quiet.
 *
 * <p>Such a collection stops the program, the longer the more objects remain. So there is none on a
 * pod that merely is idle: it would stop for its readers again and again to free little. And
 * clients that come and go all the time cause one in {@link Watch#LEAST_COUNTS} seconds at most.
 * {@code -XX:+DisableExplicitGC} turns this off.
 */
@Singleton
final class HeapRelease {

    private static final Duration INTERVAL = Duration.ofSeconds(1);

    void start(@Observes StartupEvent event, Hub hub, Vertx vertx) {
        var watch = new Watch(() -> vertx.executeBlocking(HeapRelease::collect));
        vertx.setPeriodic(INTERVAL.toMillis(), id -> watch.onCount(hub.streams()));
    }

    private static boolean collect() {
        System.gc();
        return true;
    }

    /** Notices that the number of streams has changed much, and that it no longer does. */
    static final class Watch {

        /** Fewer streams hold some MB at most, which is not worth a collection. */
        private static final int FEWEST = 1_000;

        /** Streams that begin or end between two counts while more are still to follow. */
        private static final int STILL_CHANGING = 100;

        /** Counts from one collection to the next at least. */
        static final int LEAST_COUNTS = 10;

        private final Runnable onMuchChanged;
        private int most;
        private int least;
        private int last;
        private int countsSince = LEAST_COUNTS;

        /**
         * Begins without streams.
         *
         * @param onMuchChanged runs each time when, since the last time, at least half of the
         *     streams have ended or as many have begun as there were, and 1,000 in both cases
         */
        Watch(Runnable onMuchChanged) {
            this.onMuchChanged = onMuchChanged;
        }

        /** Takes the number of open streams, which is counted at regular intervals. */
        void onCount(int streams) {
            boolean changing = Math.abs(last - streams) >= STILL_CHANGING;
            last = streams;
            most = Math.max(most, streams);
            least = Math.min(least, streams);
            countsSince++;
            boolean manyLeft = most - streams >= Math.max(FEWEST, most / 2);
            boolean manyCame = streams - least >= Math.max(FEWEST, least);
            if (!changing && countsSince >= LEAST_COUNTS && (manyLeft || manyCame)) {
                most = streams;
                least = streams;
                countsSince = 0;
                onMuchChanged.run();
            }
        }
    }
}
