package dev.parley.testsupport;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Free loopback ports for servers that come back on the same port.
 *
 * <p>They lie below the range from which systems take ports for outgoing connections. A client that
 * keeps dialling a dead server's port out of that range sooner or later gets the very port as its
 * own, connects to itself, and so keeps the server from coming back.
 */
public final class Ports {

    private static final int LOWEST = 12_000;
    private static final int LOWEST_OUTGOING = 32_768;
    private static final int ATTEMPTS = 200;

    private Ports() {}

    /** A port that nobody listens on now; who uses it should be ready to lose the race for it. */
    public static int free() {
        for (int i = 0; i < ATTEMPTS; i++) {
            int port = ThreadLocalRandom.current().nextInt(LOWEST, LOWEST_OUTGOING);
            if (isFree(port)) {
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
