package dev.parley.redis;

import io.vertx.core.Vertx;
import io.vertx.core.net.NetClientOptions;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisClientType;
import io.vertx.redis.client.RedisOptions;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes clients of single nodes of a Redis Cluster. User, password and TLS are those of the node's
 * configured address, or of the first one for a node that the Cluster named.
 */
public final class ClusterClients {

    private final Vertx vertx;
    private final RedisOptions options;
    private final Map<NodeAddress, URI> configured = new LinkedHashMap<>();

    /**
     * @param options with the addresses of some nodes
     */
    public ClusterClients(Vertx vertx, RedisOptions options) {
        this.vertx = vertx;
        this.options = options;
        for (String endpoint : options.getEndpoints()) {
            URI uri = URI.create(endpoint);
            String host = uri.getHost().replaceAll("[\\[\\]]", "");
            int port = uri.getPort() < 0 ? 6379 : uri.getPort();
            configured.putIfAbsent(new NodeAddress(host, port), uri);
        }
    }

    /** Returns the configured addresses, in their order. */
    List<NodeAddress> configured() {
        return List.copyOf(configured.keySet());
    }

    /** Makes a client of a node; the caller closes it. */
    Redis create(NodeAddress node) {
        URI like = configured.getOrDefault(node, configured.values().iterator().next());
        String user = like.getRawUserInfo() == null ? "" : like.getRawUserInfo() + "@";
        String parameters = like.getRawQuery() == null ? "" : "?" + like.getRawQuery();
        String address = like.getScheme() + "://" + user + node + "/" + parameters;
        var net = new NetClientOptions(options.getNetClientOptions());
        return Redis.createClient(
                GatheredWrites.on(vertx),
                new RedisOptions(options)
                        .setType(RedisClientType.STANDALONE)
                        .setEndpoints(List.of(address))
                        .setNetClientOptions(net.setSsl(like.getScheme().equals("rediss"))));
    }
}
