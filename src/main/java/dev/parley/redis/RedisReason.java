package dev.parley.redis;

import dev.parley.dns.LookupTimeout;
import io.netty.channel.ConnectTimeoutException;
import io.netty.handler.ssl.NotSslRecordException;
import io.vertx.redis.client.impl.types.ErrorType;
import java.io.IOException;
import java.net.UnknownHostException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;

/**
 * Describes a failure to an operator, in the log and in the answer to the readiness probe: what
 * Redis or the network said, and what to do. A description contains no secret. The same cause has
 * the same description each time, so that {@link RedisLink} logs it once.
 */
final class RedisReason {

    /** Longest message of Redis or the network that is kept whole, in UTF-16 units. */
    private static final int MAX_LENGTH = 300;

    /** Redis repeats the arguments of a command that it does not know, a password among them. */
    private static final Pattern ARGUMENTS = Pattern.compile(",? with args beginning with:.*");

    /** The user and password of an address; a password may contain any character but a space. */
    private static final Pattern USER_INFO = Pattern.compile("://\\S*@");

    /**
     * Matches a reason that reveals a server: an address with its port or without ({@code
     * redis.example:6379}, {@code 10.0.0.7}, {@code [fd00::1]}, {@code redis/<unresolved>}), or a
     * message that always contains one. A line of a script ({@code @user_script:12}) is not an
     * address.
     */
    private static final Pattern OF_A_SERVER =
            Pattern.compile(
                    "://|/[<\\d]|\\[|(?<![\\w.@-])[A-Za-z0-9][\\w.-]*:\\d|\\d+(?:\\.\\d+){3}"
                            + "|::|(?:[0-9A-Fa-f]{1,4}:){3}"
                            + "|unknown host|look-up of|TLS failed");

    /** The reply of a node of a Redis Cluster that names another one, with its address. */
    private static final Pattern OF_ANOTHER_NODE = Pattern.compile("\\b(MOVED|ASK) \\d+ ");

    /** What the Redis client puts before an error reply in the answer to a batch. */
    private static final Pattern OF_A_BATCH = Pattern.compile("^ERR \\[\\d+] ");

    private static final Pattern LINE_BREAKS = Pattern.compile("\\s*[\\r\\n]+[-\\s]*");

    private RedisReason() {}

    static String of(Throwable failure) {
        if (RedisCommands.isOfAClosedConnection(failure) && !(failure instanceof IOException)) {
            return "connection closed";
        }
        if (failure instanceof ErrorType) {
            return ofReply(String.valueOf(failure.getMessage()));
        }
        for (Throwable cause : causes(failure).toList()) {
            if (cause instanceof UnknownHostException) {
                // The operating system adds words after the name, which differ.
                return "unknown host "
                        + clean(String.valueOf(cause.getMessage())).replaceFirst("[: ].*", "")
                        + ": check the name in the address of Redis, and DNS";
            }
            if (cause instanceof LookupTimeout) {
                return clean(String.valueOf(cause.getMessage()));
            }
            if (cause instanceof NotSslRecordException) {
                return "the server does not speak TLS: use redis:// instead of rediss://, or the"
                        + " server's TLS port";
            }
            if (cause instanceof SSLException) {
                return "TLS failed: "
                        + clean(String.valueOf(innermost(cause).getMessage()))
                        + "; the certificate must be trusted and name the host of the"
                        + " address (quarkus.redis.tls.*)";
            }
            if (cause instanceof ConnectTimeoutException) {
                return clean(String.valueOf(cause.getMessage()))
                        + "; nothing answers at that address";
            }
        }
        String message = failure.getMessage();
        return message == null ? failure.getClass().getSimpleName() : clean(message);
    }

    /**
     * Adds a reason to what a client is answered, unless the reason names a server. Those of Redis
     * itself say what is wrong with it; those of the network have its address, which is for the
     * operator alone. Of a reply that names another node of a Redis Cluster, its meaning is said.
     */
    static String forClients(String what, String reason) {
        Matcher redirection = OF_ANOTHER_NODE.matcher(reason);
        if (redirection.find()) {
            return what
                    + (redirection.group(1).equals("ASK")
                            ? ": the slot is moving to another node of the Redis Cluster"
                            : ": another node of the Redis Cluster has the slot");
        }
        return OF_A_SERVER.matcher(reason).find() ? what : what + ": " + reason;
    }

    /** Describes an error reply of Redis. */
    static String ofReply(String text) {
        String words = clean(OF_A_BATCH.matcher(RedisRefusal.withoutPrefix(text)).replaceFirst(""));
        String advice = RedisRefusal.ofReply(text).advice();
        if (words.startsWith("WRONGPASS") || words.startsWith("NOAUTH")) {
            advice = "check the user and password in the address, or quarkus.redis.password";
        } else if (words.startsWith("ERR unknown command")) {
            advice = "the server renamed or lacks a command that Parley needs";
        } else if (words.startsWith("MOVED ")) {
            // A Cluster answers so while a slot moves, and always if it is used as a single server.
            advice =
                    "another node of the Redis Cluster has the slot; quarkus.redis.client-type must"
                            + " be cluster";
        }
        return advice.isEmpty() ? words : words + " (" + advice + ")";
    }

    /** Removes secrets and line breaks, and cuts off what exceeds the greatest length. */
    static String clean(String message) {
        String line = LINE_BREAKS.matcher(message.strip()).replaceAll("; ");
        line = USER_INFO.matcher(line).replaceAll("://***@");
        line = ARGUMENTS.matcher(line).replaceFirst("");
        return line.length() > MAX_LENGTH ? line.substring(0, MAX_LENGTH) + "…" : line;
    }

    private static Stream<Throwable> causes(Throwable failure) {
        return Stream.iterate(failure, cause -> cause != null, Throwable::getCause).limit(10);
    }

    private static Throwable innermost(Throwable failure) {
        return causes(failure).reduce((outer, inner) -> inner).orElse(failure);
    }
}
