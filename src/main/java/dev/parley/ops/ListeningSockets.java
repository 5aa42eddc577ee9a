package dev.parley.ops;

import dev.parley.http.ManagementPort;
import io.netty.bootstrap.ChannelInitializerExtension;
import io.netty.channel.ServerChannel;
import io.quarkus.runtime.LaunchMode;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The sockets on which the server accepts connections. Vert.x closes them only together with all
 * connections, so a client that connected just before would be cut. Netty creates this object
 * itself (META-INF/services, {@code ConnectionGuardInstaller}), so the sockets are static.
 */
@RegisterForReflection
public final class ListeningSockets extends ChannelInitializerExtension {

    private static final Set<ServerChannel> OPEN = ConcurrentHashMap.newKeySet();

    @Override
    public void postInitializeServerListenerChannel(ServerChannel listener) {
        // In development mode the framework keeps its server when it restarts the program.
        if (LaunchMode.current() == LaunchMode.NORMAL) {
            OPEN.add(listener);
            listener.closeFuture().addListener(closed -> OPEN.remove(listener));
        }
    }

    /**
     * Accepts no further connection, except on the management port: probes and scrapes go on until
     * the end. Connections that exist are served. Clients that connect get a refusal of the system,
     * and no part of a request has been sent then.
     */
    static void closePublicOnes() {
        int management = ManagementPort.number();
        OPEN.stream()
                .filter(
                        listener ->
                                !(listener.localAddress() instanceof InetSocketAddress address)
                                        || address.getPort() != management)
                .forEach(ServerChannel::close);
    }
}
