package dev.parley.redis;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.ScheduledFuture;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.impl.ContextInternal;
import io.vertx.core.impl.VertxInternal;
import io.vertx.core.impl.future.FutureInternal;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.StreamSupport;

/**
 * Bounds the wait for an answer of Redis, without mistaking a busy pod for a silent Redis.
 *
 * <p>An event loop first handles everything that it has read, then runs its timers, then reads
 * again. If ten thousand clients connect at once, handling them takes seconds. Meanwhile Redis
 * answers and the time ends, and the timer runs first: the call would fail although its answer has
 * arrived. So when the time is over, every event loop first completes two more reads, and the wait
 * fails only then. Every one, because the connection may be on another event loop than the caller;
 * twice, because epoll reports 4,096 sockets at a time at first, and the connection to Redis may be
 * behind those of as many clients.
 */
final class AnswerTimeout {

    private AnswerTimeout() {}

    /**
     * Returns the same result, or a failure with {@link TimeoutException} if there is none in time.
     * Waits for busy event loops for at most {@code timeout} more.
     */
    static <T> Future<T> limit(Vertx vertx, Future<T> answer, Duration timeout) {
        return limit(vertx, answer, timeout, timeout);
    }

    /** Like {@link #limit}, but waits for busy event loops for at most {@code busyLimit}. */
    static <T> Future<T> limit(
            Vertx vertx, Future<T> answer, Duration timeout, Duration busyLimit) {
        if (answer.isComplete()) {
            return answer;
        }
        EventLoopGroup loops = ((VertxInternal) vertx).getEventLoopGroup();
        ContextInternal context = ((FutureInternal<T>) answer).context();
        EventLoop own = context == null ? loops.next() : context.nettyEventLoop();
        Promise<T> limited = context == null ? Promise.promise() : context.promise();
        long millis = timeout.toMillis();
        Runnable fail =
                () -> limited.tryFail(new TimeoutException("no answer within " + millis + " ms"));
        ScheduledFuture<?> timer =
                own.schedule(
                        () -> {
                            own.schedule(fail, busyLimit.toMillis(), TimeUnit.MILLISECONDS);
                            // Runs after an answer that another event loop has passed on to this
                            // one.
                            Runnable failAtLast = () -> own.execute(fail);
                            afterReading(loops, () -> afterReading(loops, failAtLast));
                        },
                        millis,
                        TimeUnit.MILLISECONDS);
        answer.onComplete(
                result -> {
                    timer.cancel(false);
                    limited.tryComplete(result);
                },
                failure -> {
                    timer.cancel(false);
                    limited.tryFail(failure);
                });
        return limited.future();
    }

    /** Runs an action when each event loop has read what it had received by now. */
    private static void afterReading(EventLoopGroup loops, Runnable action) {
        var left =
                new AtomicInteger((int) StreamSupport.stream(loops.spliterator(), false).count());
        Runnable onRead =
                () -> {
                    if (left.decrementAndGet() == 0) {
                        action.run();
                    }
                };
        for (EventExecutor loop : loops) {
            // A timer that is set on the event loop itself runs behind the next read.
            loop.execute(() -> loop.schedule(onRead, 1, TimeUnit.NANOSECONDS));
        }
    }
}
