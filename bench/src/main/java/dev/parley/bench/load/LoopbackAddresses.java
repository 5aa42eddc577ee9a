package dev.parley.bench.load;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.ThreadLocalRandom;

/** Hands out loopback source addresses: enough of them that ports do not run out. */
final class LoopbackAddresses {

    private static final int PER_ADDRESS = 4_000;

    /**
     * Random for each load client, because the ports of the previous client's connections stay in
     * TIME_WAIT for a while.
     */
    private final int network = ThreadLocalRandom.current().nextInt(1, 250);

    private int used;

    /** The server's address. */
    static InetSocketAddress loopback(int port) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    /** Source address for the next connection. */
    InetSocketAddress next() {
        int host = 2 + used++ / PER_ADDRESS;
        return new InetSocketAddress("127.0." + network + '.' + host, 0);
    }
}
