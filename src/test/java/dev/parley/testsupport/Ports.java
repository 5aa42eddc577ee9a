package dev.parley.testsupport;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Finds free loopback ports for servers that restart on the same port.
 *
 * <p>They are below the range from which the system takes the source ports of outgoing connections.
 * A client that repeatedly connects to a dead server's port inside that range is at some time given
 * the same port as its source port. It then connects to itself, and the server cannot bind the port
 * again.
 */
public final class Ports {

    private static final int LOWEST = 12_000;
    private static final int LOWEST_OUTGOING = 32_768;
    private static final int ATTEMPTS = 200;

    /** The ports that this JVM has given out. */
    private static final Set<Integer> GIVEN = ConcurrentHashMap.newKeySet();

    private Ports() {}

    /**
     * A port that is free now, and another one at each call. Another process may take it before the
     * caller binds it, so the caller must be able to try again.
     */
    public static int free() {
        for (int i = 0; i < ATTEMPTS; i++) {
            int port = ThreadLocalRandom.current().nextInt(LOWEST, LOWEST_OUTGOING);
            if (GIVEN.add(port) && isFree(port)) {
                return port;
            }
        }
        throw new IllegalStateException("no free port after " + ATTEMPTS + " attempts");
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return true;
        } catch (BindException taken) {
            return false;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
