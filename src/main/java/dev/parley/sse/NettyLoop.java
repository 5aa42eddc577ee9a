package dev.parley.sse;

import dev.parley.delivery.Loop;
import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** The server's event loop, to the hub. */
public record NettyLoop(EventLoop eventLoop) implements Loop {

    @Override
    public void execute(Runnable action) {
        eventLoop.execute(action);
    }

    @Override
    public void executeLater(Runnable action, Duration pause) {
        eventLoop.schedule(action, pause.toNanos(), TimeUnit.NANOSECONDS);
    }
}
