package dev.parley.http;

import io.netty.bootstrap.ChannelInitializerExtension;
import io.netty.channel.Channel;
import io.quarkus.runtime.ImageMode;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * Puts a {@link ConnectionGuard} or a {@link ManagementGuard} on each connection when it is
 * accepted, and in a native executable a {@link WaitingOpening} in front of the first. Neither the
 * framework nor Vert.x has a place for that: their first hook on a connection comes with its first
 * bytes, or with its first request. Netty creates this object itself (META-INF/services) if {@link
 * #enable} was called before the first connection of the process.
 */
@RegisterForReflection
public final class ConnectionGuardInstaller extends ChannelInitializerExtension {

    private static volatile @Nullable ServerBounds bounds;

    /**
     * 0 until the first connection is accepted, because a random port is known only then. Not a
     * constant, which would be computed when a native executable is built.
     */
    private static volatile int managementPort;

    private final boolean isNative = ImageMode.current() == ImageMode.NATIVE_RUN;

    /** Makes Netty look for extensions. */
    public static void enable() {
        System.setProperty(EXTENSIONS_SYSTEM_PROPERTY, "serviceload");
    }

    /** Sets the bounds of all connections that are accepted from now on. */
    static void use(ServerBounds serverBounds) {
        bounds = serverBounds;
    }

    @Override
    public void postInitializeServerChildChannel(Channel channel) {
        ServerBounds current = bounds;
        if (isManagement(channel)) {
            ManagementGuard.guard(channel);
        } else if (current != null) {
            ConnectionGuard.guard(channel, current);
            if (isNative) {
                channel.pipeline().addFirst(new WaitingOpening(OpeningTurn::current));
            }
        }
    }

    /** Tells whether the connection is to the management port. */
    private static boolean isManagement(Channel channel) {
        if (managementPort == 0) {
            managementPort = ManagementPort.number();
        }
        return channel.localAddress() instanceof InetSocketAddress local
                && managementPort == local.getPort();
    }
}
