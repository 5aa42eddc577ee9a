package dev.parley;

import io.quarkus.runtime.LaunchMode;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.runtime.configuration.ConfigurationException;
import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.net.BindException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.StandardProtocolFamily;
import java.net.UnknownHostException;
import java.nio.channels.ServerSocketChannel;
import org.eclipse.microprofile.config.Config;

/**
 * Refuses ports with which the framework would start badly: two servers on one port take its
 * connections by turns, and with one random port the framework's metrics fail and the start never
 * ends. A port that cannot be opened is refused here too, since the framework fails with a stack
 * trace that names neither the setting nor, with epoll, the port.
 */
@Singleton
final class PortCheck {

    /** Runs after the check of unknown settings, and before the program is assembled. */
    private static final int EARLY = 2;

    private static final String PUBLIC = "quarkus.http";
    private static final String MANAGEMENT = "quarkus.management";
    private static final int MAX_PORT = 65_535;

    /**
     * A server of the framework.
     *
     * @param prefix what its settings begin with
     * @param host the address on which it listens
     * @param port the number; 0 or less for one that the system chooses
     */
    record Server(String prefix, String host, int port) {

        private String key() {
            return prefix + ".port";
        }

        private boolean isRandom() {
            return port <= 0;
        }
    }

    void check(@Observes @Priority(EARLY) StartupEvent event, Config config) {
        // Tests in this JVM have ports of their own, and in development mode the framework keeps
        // its server when it restarts the program.
        if (LaunchMode.current() != LaunchMode.NORMAL) {
            return;
        }
        Server calls = server(config, PUBLIC, 8080);
        checkNumber(calls);
        if (config.getOptionalValue(MANAGEMENT + ".enabled", Boolean.class).orElse(false)) {
            Server management = server(config, MANAGEMENT, 9000);
            checkNumber(management);
            checkPair(calls, management);
            checkFree(config, management);
        }
        checkFree(config, calls);
    }

    private static Server server(Config config, String prefix, int defaultPort) {
        return new Server(
                prefix,
                config.getOptionalValue(prefix + ".host", String.class).orElse("0.0.0.0"),
                config.getOptionalValue(prefix + ".port", Integer.class).orElse(defaultPort));
    }

    /** Refuses a number that is not one of a port. */
    static void checkNumber(Server server) {
        if (server.port() > MAX_PORT) {
            throw new ConfigurationException(
                    "%s is %d: a port is a number up to %d"
                            .formatted(server.key(), server.port(), MAX_PORT));
        }
    }

    /** Refuses two ports that do not go together, whatever their addresses are. */
    static void checkPair(Server calls, Server management) {
        if (calls.isRandom() != management.isRandom()) {
            Server random = calls.isRandom() ? calls : management;
            Server fixed = calls.isRandom() ? management : calls;
            throw new ConfigurationException(
                    "%s is %d, a port that the system chooses, but %s is %d: name both ports, or set both to 0"
                            .formatted(random.key(), random.port(), fixed.key(), fixed.port()));
        }
        if (!calls.isRandom() && calls.port() == management.port()) {
            throw new ConfigurationException(
                    "%s and %s are both %d: choose another port for one of them, since health and metrics must not be on the public port"
                            .formatted(calls.key(), management.key(), calls.port()));
        }
    }

    private static void checkFree(Config config, Server server) {
        boolean isOpened =
                config.getOptionalValue(server.prefix() + ".host-enabled", Boolean.class)
                        .orElse(true);
        boolean isShared =
                config.getOptionalValue(server.prefix() + ".so-reuse-port", Boolean.class)
                        .orElse(false);
        if (isOpened && !isShared) {
            checkFree(server);
        }
    }

    /** Refuses a port that cannot be opened: it is opened, and closed at once. */
    static void checkFree(Server server) {
        InetAddress address;
        try {
            address = InetAddress.getByName(server.host());
        } catch (UnknownHostException e) {
            throw new ConfigurationException(
                    "%s.host: no address is known for %s"
                            .formatted(server.prefix(), server.host()));
        }
        // An address of IPv4 as such: Java would take 0.0.0.0 for all addresses of IPv6 too.
        ProtocolFamily family =
                address instanceof Inet4Address
                        ? StandardProtocolFamily.INET
                        : StandardProtocolFamily.INET6;
        try (ServerSocketChannel socket = ServerSocketChannel.open(family)) {
            socket.bind(new InetSocketAddress(address, Math.max(0, server.port())));
        } catch (BindException e) {
            throw new ConfigurationException(
                    "%s is %d, and the port cannot be opened on %s.host (%s): %s; choose another port or address, or stop the program that has it"
                            .formatted(
                                    server.key(),
                                    server.port(),
                                    server.prefix(),
                                    server.host(),
                                    e.getMessage()));
        } catch (IOException | UnsupportedOperationException e) {
            // The system does not let it be tried; the framework tries it next.
        }
    }
}
