package dev.parley.bench.load;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.ThreadLocalRandom;

/** Addresses on loopback: enough sources that a load client does not run out of ports. */
final class Addresses {

    private static final int PER_ADDRESS = 4_000;

    /** Drawn anew for each client: the ports of the last one's connections rest for a while. */
    private final int network = ThreadLocalRandom.current().nextInt(1, 250);

    private int used;

    /** Where servers listen. */
    static InetSocketAddress loopback(int port) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    /** The source of the next connection. */
    InetSocketAddress next() {
        int host = 2 + used++ / PER_ADDRESS;
        return new InetSocketAddress("127.0." + network + '.' + host, 0);
    }
}
