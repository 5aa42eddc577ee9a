package dev.parley.redis;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** An error reply by which a node of a Redis Cluster says that it does not run a command now. */
sealed interface ClusterReply {

    /** Another node has the slot (Redis: MOVED). */
    record Moved(int slot, NodeAddress to) implements ClusterReply {}

    /**
     * The slot is moving, and the keys of this command are at its next node already (Redis: ASK).
     */
    record Ask(NodeAddress to) implements ClusterReply {}

    /**
     * No node runs the command at the moment: some of its keys are at one node of a moving slot and
     * some at the other (TRYAGAIN), or the nodes are without a master of some slots (CLUSTERDOWN).
     */
    record Later() implements ClusterReply {}

    /** What is written for a host whose name the node does not know. */
    String UNKNOWN_HOST = "?";

    /** A reply; the Redis client puts words before it in the answer to a batch. */
    Pattern REPLY =
            Pattern.compile(
                    "^(?:ERR \\[\\d+] )?(?:(MOVED|ASK) (\\d+) (\\S*):(\\d+)|TRYAGAIN|CLUSTERDOWN)");

    /**
     * Classifies a failure; empty if it is none of these. A node that does not know yet by which
     * name the other one is to be called writes a question mark for it (Redis: {@code
     * cluster-preferred-endpoint-type}); it knows it later.
     *
     * @param node the node that answered; it may leave out a host that is its own
     */
    static Optional<ClusterReply> of(Throwable failure, NodeAddress node) {
        Throwable cause = failure instanceof RedisUnavailable ? failure.getCause() : failure;
        Matcher reply = REPLY.matcher(cause == null ? "" : String.valueOf(cause.getMessage()));
        if (!reply.find()) {
            return Optional.empty();
        }
        if (reply.group(1) == null || reply.group(3).equals(UNKNOWN_HOST)) {
            return Optional.of(new Later());
        }
        String host = reply.group(3).isEmpty() ? node.host() : reply.group(3);
        var to = new NodeAddress(host, Integer.parseInt(reply.group(4)));
        return Optional.of(
                reply.group(1).equals("ASK")
                        ? new Ask(to)
                        : new Moved(Integer.parseInt(reply.group(2)), to));
    }

    /** Tells whether a failure names another node (MOVED, ASK). */
    static boolean isRedirection(Throwable failure) {
        Matcher reply = REPLY.matcher(String.valueOf(failure.getMessage()));
        return reply.find() && reply.group(1) != null;
    }

    /** Tells whether a failure is one of these. */
    static boolean is(Throwable failure) {
        return REPLY.matcher(String.valueOf(failure.getMessage())).find();
    }
}
