package dev.parley.redis;

import io.netty.channel.ChannelPipeline;
import io.netty.handler.flush.FlushConsolidationHandler;
import io.vertx.core.Vertx;
import io.vertx.core.impl.CloseFuture;
import io.vertx.core.impl.VertxInternal;
import io.vertx.core.impl.VertxWrapper;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetClientOptions;
import io.vertx.core.net.impl.NetClientImpl;
import io.vertx.core.spi.metrics.TCPMetrics;

/**
 * Gives Redis clients connections that send what was written in one turn of the event loop
 * together.
 *
 * <p>The Redis client writes every command to the socket by itself. When 20 publishers' requests
 * arrive in one turn, that is 20 system calls here and, because Redis answers what it has read, up
 * to 20 reads and 20 writes there. The commands of a turn go out when the turn ends: a command
 * waits for the requests that arrived in the same turn, and not for later ones.
 */
final class GatheredWrites extends VertxWrapper {

    /** Most flushes that are joined into one. */
    private static final int MAX_GATHERED = 256;

    private GatheredWrites(VertxInternal vertx) {
        super(vertx);
    }

    /** Wraps Vert.x, so that Redis clients that are made with it gather what they write. */
    static Vertx on(Vertx vertx) {
        return new GatheredWrites((VertxInternal) vertx);
    }

    @Override
    @SuppressWarnings("NullAway") // A client without metrics has null for them.
    public NetClient createNetClient(NetClientOptions options) {
        var closeFuture = new CloseFuture();
        delegate.addCloseHook(closeFuture);
        TCPMetrics<?> metrics =
                delegate.metricsSPI() == null
                        ? null
                        : delegate.metricsSPI().createNetClientMetrics(options);
        var client = new GatheringClient(delegate, metrics, options, closeFuture);
        closeFuture.add(client);
        return client;
    }

    private static final class GatheringClient extends NetClientImpl {

        GatheringClient(
                VertxInternal vertx,
                TCPMetrics<?> metrics,
                NetClientOptions options,
                CloseFuture closeFuture) {
            super(vertx, metrics, options, closeFuture);
        }

        @Override
        protected void initChannel(ChannelPipeline pipeline) {
            super.initChannel(pipeline);
            pipeline.addFirst(new FlushConsolidationHandler(MAX_GATHERED, true));
        }
    }
}
