package dev.parley.redis;

import dev.parley.dns.NameLookups;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.flush.FlushConsolidationHandler;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.impl.CloseFuture;
import io.vertx.core.impl.ContextInternal;
import io.vertx.core.impl.VertxInternal;
import io.vertx.core.impl.VertxWrapper;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetClientOptions;
import io.vertx.core.net.NetSocket;
import io.vertx.core.net.ProxyOptions;
import io.vertx.core.net.SocketAddress;
import io.vertx.core.net.impl.NetClientImpl;
import io.vertx.core.spi.metrics.TCPMetrics;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Gives Redis clients connections that send what was written in one turn of the event loop
 * together, and for which names are looked up without blocking it ({@link NameLookups}).
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

    /** Wraps Vert.x, so that Redis clients that are made with it have such connections. */
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

        private final Duration connectTimeout;

        GatheringClient(
                VertxInternal vertx,
                TCPMetrics<?> metrics,
                NetClientOptions options,
                CloseFuture closeFuture) {
            super(vertx, metrics, options, closeFuture);
            int millis = options.getConnectTimeout();
            // Netty takes 0 for no limit.
            this.connectTimeout = Duration.ofMillis(millis == 0 ? Integer.MAX_VALUE : millis);
        }

        /**
         * Looks up the name of the server or, if there is a proxy, of the proxy, which looks up the
         * one of the server. Then connects, which takes the connect timeout once more at most.
         */
        @Override
        public void connectInternal(
                @Nullable ProxyOptions proxy,
                SocketAddress server,
                SocketAddress peer,
                @Nullable String serverName,
                boolean ssl,
                boolean useAlpn,
                boolean registerWriteHandlers,
                Promise<NetSocket> connected,
                ContextInternal context,
                int remainingAttempts) {
            SocketAddress first =
                    proxy == null
                            ? server
                            : SocketAddress.inetSocketAddress(proxy.getPort(), proxy.getHost());
            NameLookups.resolve(context, first, connectTimeout)
                    .onSuccess(
                            found ->
                                    super.connectInternal(
                                            proxy == null
                                                    ? null
                                                    : new ProxyOptions(proxy)
                                                            .setHost(found.hostAddress()),
                                            proxy == null ? found : server,
                                            peer,
                                            serverName,
                                            ssl,
                                            useAlpn,
                                            registerWriteHandlers,
                                            connected,
                                            context,
                                            remainingAttempts))
                    .onFailure(connected::tryFail);
        }

        @Override
        protected void initChannel(ChannelPipeline pipeline) {
            super.initChannel(pipeline);
            pipeline.addFirst(new FlushConsolidationHandler(MAX_GATHERED, true));
        }
    }
}
