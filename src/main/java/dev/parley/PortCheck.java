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
import java.util.ArrayList;
import java.util.List;
import org.eclipse.microprofile.config.Config;

/**
 * Refuses ports with which the framework would start badly: two servers on one port take its
 * connections by turns, so that health and metrics may be on the public port; and with one random
 * port the framework's metrics fail and the start never ends. A port that cannot be opened is
 * refused here too, since the framework fails with a stack trace that names neither the setting
 * nor, with epoll, the port.
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
     * @param key the setting with its port
     * @param host the address on which it listens
     * @param port the number; 0 or less for one that the system chooses
     */
    record Server(String prefix, String key, String host, int port) {

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
        List<Server> servers = servers(config);
        servers.forEach(PortCheck::checkNumber);
        for (int i = 0; i < servers.size(); i++) {
            for (Server other : servers.subList(i + 1, servers.size())) {
                checkPair(servers.get(i), other);
            }
        }
        servers.stream().filter(server -> isBound(config, server)).forEach(PortCheck::checkFree);
    }

    /** Returns the servers that the framework is going to start. */
    static List<Server> servers(Config config) {
        List<Server> servers = new ArrayList<>();
        boolean isEncrypted = TlsCheck.isConfigured(config);
        boolean isPlainDisabled =
                config.getOptionalValue(PUBLIC + ".insecure-requests", String.class)
                        .filter("disabled"::equalsIgnoreCase)
                        .isPresent();
        if (!isEncrypted || !isPlainDisabled) {
            servers.add(server(config, PUBLIC, "port", 8080));
        }
        if (isEncrypted) {
            servers.add(server(config, PUBLIC, "ssl-port", 8443));
        }
        if (config.getOptionalValue(MANAGEMENT + ".enabled", Boolean.class).orElse(false)) {
            servers.add(server(config, MANAGEMENT, "port", 9000));
        }
        return servers;
    }

    private static Server server(Config config, String prefix, String port, int defaultPort) {
        String key = prefix + "." + port;
        return new Server(
                prefix,
                key,
                config.getOptionalValue(prefix + ".host", String.class).orElse("0.0.0.0"),
                config.getOptionalValue(key, Integer.class).orElse(defaultPort));
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
    static void checkPair(Server one, Server other) {
        if (one.isRandom() != other.isRandom()) {
            Server random = one.isRandom() ? one : other;
            Server fixed = one.isRandom() ? other : one;
            throw new ConfigurationException(
                    "%s is %d, a port that the system chooses, but %s is %d: name all ports, or set all to 0"
                            .formatted(random.key(), random.port(), fixed.key(), fixed.port()));
        }
        if (!one.isRandom() && one.port() == other.port()) {
            throw new ConfigurationException(
                    "%s and %s are both %d: choose another port for one of them"
                            .formatted(one.key(), other.key(), one.port()));
        }
    }

    /** Tells whether the framework opens the port for this process alone. */
    private static boolean isBound(Config config, Server server) {
        boolean isOpened =
                config.getOptionalValue(server.prefix() + ".host-enabled", Boolean.class)
                        .orElse(true);
        boolean isShared =
                config.getOptionalValue(server.prefix() + ".so-reuse-port", Boolean.class)
                        .orElse(false);
        return isOpened && !isShared;
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
