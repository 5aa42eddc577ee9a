package dev.parley.ops;

import dev.parley.delivery.Hub;
import io.quarkus.runtime.StartupEvent;
import io.vertx.core.Vertx;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.time.Duration;

/**
 * Collects garbage once after many streams have ended, so that the JVM gives back the memory that
 * they took. A JVM shrinks its heap when it has collected all of it, and it does that when the heap
 * fills up, which does not happen on a pod that has become quiet.
 *
 * <p>Such a collection stops the program, the longer the more objects remain. So there is none on a
 * pod that merely is idle: it would stop for its readers again and again to free little. {@code
 * -XX:+DisableExplicitGC} turns this off.
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

    /** Notices that many streams have ended, and that no more are ending. */
    static final class Watch {

        /** Fewer streams hold some MB at most, which is not worth a collection. */
        private static final int FEWEST = 1_000;

        /** Streams that end between two counts while the others are still leaving. */
        private static final int STILL_LEAVING = 100;

        private final Runnable onManyLeft;
        private int most;
        private int last;

        /**
         * Begins without streams.
         *
         * @param onManyLeft runs each time when at least half of the streams, and 1,000, have ended
         */
        Watch(Runnable onManyLeft) {
            this.onManyLeft = onManyLeft;
        }

        /** Takes the number of open streams, which is counted at regular intervals. */
        void onCount(int streams) {
            boolean leaving = last - streams >= STILL_LEAVING;
            last = streams;
            most = Math.max(most, streams);
            if (!leaving && most - streams >= Math.max(FEWEST, most / 2)) {
                most = streams;
                onManyLeft.run();
            }
        }
    }
}
