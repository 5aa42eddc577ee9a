package dev.parley.redis;

/**
 * Where a node of a Redis Cluster is.
 *
 * @param host name or IP address, without brackets
 */
record NodeAddress(String host, int port) {

    @Override
    public String toString() {
        return host.contains(":") ? "[" + host + "]:" + port : host + ":" + port;
    }
}
