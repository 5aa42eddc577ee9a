package dev.parley.sse;

import dev.parley.delivery.EventLoop;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * An event loop of the HTTP server.
 *
 * @param loop the server's object for it
 */
public record NettyEventLoop(io.netty.channel.EventLoop loop) implements EventLoop {

    // Written out, since a native executable interprets what the compiler generates for a record.
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof NettyEventLoop same && loop.equals(same.loop);
    }

    @Override
    public int hashCode() {
        return loop.hashCode();
    }

    @Override
    public void execute(Runnable action) {
        loop.execute(action);
    }

    @Override
    public void executeLater(Runnable action, Duration pause) {
        loop.schedule(action, pause.toNanos(), TimeUnit.NANOSECONDS);
    }
}
