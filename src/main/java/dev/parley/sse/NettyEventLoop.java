package dev.parley.sse;

import dev.parley.delivery.EventLoop;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * An event loop of the HTTP server.
 *
 * @param loop the server's object for it
 */
public record NettyEventLoop(io.netty.channel.EventLoop loop) implements EventLoop {

    @Override
    public void execute(Runnable action) {
        loop.execute(action);
    }

    @Override
    public void executeLater(Runnable action, Duration pause) {
        loop.schedule(action, pause.toNanos(), TimeUnit.NANOSECONDS);
    }
}
