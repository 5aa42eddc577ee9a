package dev.parley.delivery;

import dev.parley.broker.Broker;
import dev.parley.broker.Page;
import dev.parley.message.Room;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Carries comparisons of a room's {@link LogCopy} with the broker through: one at a time, read by
 * read until both are equal, and tried again while the broker is away.
 *
 * <p>Its lock guards only which comparison is under way and when the next attempt is due. Neither
 * it nor the copy's lock is held while the broker is called: the memory broker calls back under a
 * lock of its own. Answers arrive on any thread.
 */
final class RoomSync {

    private static final Logger LOG = Logger.getLogger(RoomSync.class);

    private static final Duration MIN_RETRY = Duration.ofMillis(100);
    private static final Duration MAX_RETRY = Duration.ofSeconds(2);

    private final Room room;
    private final Broker broker;
    private final LogCopy copy;
    private final Runnable onAnswer;
    private final CompletableFuture<Void> opened = new CompletableFuture<>();
    private final AtomicBoolean opening = new AtomicBoolean();

    private @Nullable CompletableFuture<Void> underWay;

    /** Whether another comparison was asked for since the one under way last read. */
    private boolean again;

    /** Attempts that failed since one succeeded. */
    private int failures;

    private boolean retrying;

    /**
     * @param onAnswer called after each answer: the log may have changed
     */
    RoomSync(Room room, Broker broker, LogCopy copy, Runnable onAnswer) {
        this.room = room;
        this.broker = broker;
        this.copy = copy;
        this.onAnswer = onAnswer;
    }

    /** The first comparison; a failure is final. */
    CompletableFuture<Void> open() {
        if (opening.compareAndSet(false, true)) {
            compare();
        }
        return opened;
    }

    boolean couldNotOpen() {
        return opened.isCompletedExceptionally();
    }

    /**
     * Makes the copy equal to the broker's log.
     *
     * @return completes when a comparison that began after this call is done
     */
    CompletableFuture<Void> compare() {
        CompletableFuture<Void> started;
        synchronized (this) {
            if (underWay != null) {
                again = true;
                return underWay;
            }
            started = new CompletableFuture<>();
            underWay = started;
        }
        read();
        return started;
    }

    private void read() {
        // In this order: who asks for a comparison in between gets one read too many.
        synchronized (this) {
            again = false;
        }
        LogCopy.Question question = copy.question();
        broker.read(room, question.range())
                .subscribe()
                .with(page -> answered(page, question), this::failed);
    }

    private void answered(Page page, LogCopy.Question question) {
        switch (copy.answered(page, question)) {
            case AGAIN -> read();
            case FORKED -> endEpoch(page.epoch());
            case DONE -> done();
        }
        onAnswer.run();
    }

    private void endEpoch(String epoch) {
        LOG.debugf("room %s: the broker's log is not the one that was delivered", room);
        broker.endEpoch(room, epoch).subscribe().with(ended -> read(), this::failed);
    }

    private void done() {
        CompletableFuture<Void> done = endUnlessAskedAgain();
        if (done == null) {
            read();
        } else {
            opened.complete(null);
            done.complete(null);
        }
    }

    private void failed(Throwable failure) {
        end().completeExceptionally(failure);
        if (!opened.completeExceptionally(failure) && !couldNotOpen()) {
            LOG.debugf("room %s: not compared with the broker: %s", room, failure.getMessage());
            retryLater();
        }
    }

    private synchronized @Nullable CompletableFuture<Void> endUnlessAskedAgain() {
        if (again && !copy.isClosed()) {
            return null;
        }
        failures = 0;
        return end();
    }

    private synchronized CompletableFuture<Void> end() {
        CompletableFuture<Void> ended = underWay;
        underWay = null;
        return ended == null ? new CompletableFuture<>() : ended;
    }

    /** Once, however many attempts have failed meanwhile: each arriving message may make one. */
    private void retryLater() {
        Duration pause;
        synchronized (this) {
            if (retrying) {
                return;
            }
            retrying = true;
            pause = retryPause(failures++);
        }
        Uni.createFrom().voidItem().onItem().delayIt().by(pause).subscribe().with(then -> retry());
    }

    /** Doubles from the shortest to the longest pause, and spreads: a whole pod retries at once. */
    private static Duration retryPause(int failures) {
        long longest =
                Math.min(MAX_RETRY.toMillis(), MIN_RETRY.toMillis() << Math.min(failures, 10));
        return Duration.ofMillis(ThreadLocalRandom.current().nextLong(longest / 2, longest + 1));
    }

    private void retry() {
        synchronized (this) {
            retrying = false;
        }
        if (!copy.isClosed()) {
            compare();
        }
    }
}
