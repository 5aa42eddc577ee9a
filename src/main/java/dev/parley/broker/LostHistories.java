package dev.parley.broker;

import dev.parley.message.Room;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Counts and logs rooms whose history is gone before its time: keys were deleted or evicted, or the
 * server went back to older data. One {@code FLUSHALL} costs every room its history, so rooms are
 * gathered for a moment and logged in one line, and for a minute after a line no other is written.
 * Thread-safe.
 */
public final class LostHistories {

    private static final Logger LOG = Logger.getLogger(LostHistories.class);

    /** How long rooms are gathered for the first line. */
    private static final Duration GATHERING = Duration.ofSeconds(1);

    /** Shortest time between two lines. */
    private static final Duration PAUSE = Duration.ofMinutes(1);

    private final Counter counter;
    private final BiConsumer<Duration, Runnable> timer;
    private final Consumer<String> log;

    // Guarded by this.

    private int rooms;
    private @Nullable Room first;
    private boolean isTimerSet;

    public LostHistories(MeterRegistry registry) {
        this(registry, LostHistories::runLater, LOG::warn);
    }

    /**
     * @param timer runs a task after a time
     * @param log takes the lines
     */
    LostHistories(
            MeterRegistry registry, BiConsumer<Duration, Runnable> timer, Consumer<String> log) {
        this.timer = timer;
        this.log = log;
        this.counter =
                Counter.builder("parley.histories.lost")
                        .description("Rooms whose history this pod found gone before its time")
                        .register(registry);
    }

    private static void runLater(Duration pause, Runnable task) {
        Uni.createFrom()
                .voidItem()
                .onItem()
                .delayIt()
                .by(pause)
                .subscribe()
                .with(then -> task.run());
    }

    /** The history of a room is gone, and was noticed for the first time. */
    public void add(Room room) {
        counter.increment();
        boolean isFirst;
        synchronized (this) {
            rooms++;
            first = first == null ? room : first;
            isFirst = !isTimerSet;
            isTimerSet = true;
        }
        if (isFirst) {
            timer.accept(GATHERING, this::onTime);
        }
    }

    /** Writes the line, and sets the timer for the next one; without rooms, does not set it. */
    private void onTime() {
        String line;
        synchronized (this) {
            if (first == null) {
                isTimerSet = false;
                return;
            }
            line = line(rooms, first);
            rooms = 0;
            first = null;
        }
        log.accept(line);
        timer.accept(PAUSE, this::onTime);
    }

    private static String line(int rooms, Room first) {
        return (rooms == 1 ? "room " + first : rooms + " rooms, " + first + " among them")
                + ": the history is gone before its time. Its keys were deleted (DEL, FLUSHALL) or"
                + " evicted, or the server went back to older data; readers that missed something"
                + " get a gap (parley_histories_lost_total counts rooms)";
    }
}
