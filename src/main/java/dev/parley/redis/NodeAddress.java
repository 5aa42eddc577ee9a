package dev.parley.redis;

import org.jspecify.annotations.Nullable;

/**
 * Where a node of a Redis Cluster is.
 *
 * @param host name or IP address, without brackets
 */
record NodeAddress(String host, int port) {

    // Written out, since a native executable interprets what the compiler generates for a record.
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof NodeAddress address
                && port == address.port
                && host.equals(address.host);
    }

    @Override
    public int hashCode() {
        return 31 * host.hashCode() + port;
    }

    @Override
    public String toString() {
        return host.contains(":") ? "[" + host + "]:" + port : host + ":" + port;
    }
}
