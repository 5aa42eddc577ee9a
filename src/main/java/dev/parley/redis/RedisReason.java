package dev.parley.redis;

import io.netty.channel.ConnectTimeoutException;
import io.netty.handler.ssl.NotSslRecordException;
import io.vertx.redis.client.impl.types.ErrorType;
import java.net.UnknownHostException;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;

/**
 * Words a failure for an operator, in the log and in the answer to the readiness probe: what Redis
 * or the network said, and what to do. The words contain no secret, and for the same cause they are
 * the same every time, so that each is logged once.
 */
final class RedisReason {

    private static final int MAX_LENGTH = 300;

    /** Redis repeats the arguments of a command that it does not know, a password among them. */
    private static final Pattern ARGUMENTS = Pattern.compile(",? with args beginning with:.*");

    /** The user and password of an address; a password may contain any character but a space. */
    private static final Pattern USER_INFO = Pattern.compile("://\\S*@");

    private static final Pattern LINE_BREAKS = Pattern.compile("\\s*[\\r\\n]+[-\\s]*");

    private RedisReason() {}

    static String of(Throwable failure) {
        if (failure instanceof ErrorType) {
            return ofReply(String.valueOf(failure.getMessage()));
        }
        for (Throwable cause : causes(failure).toList()) {
            if (cause instanceof UnknownHostException) {
                // The system adds its own words to the name, not always the same.
                return "unknown host "
                        + clean(String.valueOf(cause.getMessage())).replaceFirst("[: ].*", "")
                        + ": check the name in quarkus.redis.hosts, and DNS";
            }
            if (cause instanceof NotSslRecordException) {
                return "the server does not speak TLS: use redis:// instead of rediss://, or the"
                        + " server's TLS port";
            }
            if (cause instanceof SSLException) {
                return "TLS failed: "
                        + clean(String.valueOf(innermost(cause).getMessage()))
                        + "; the certificate must be trusted and name the host of"
                        + " quarkus.redis.hosts (quarkus.redis.tls.*)";
            }
            if (cause instanceof ConnectTimeoutException) {
                return clean(String.valueOf(cause.getMessage()))
                        + "; nothing answers at that address";
            }
        }
        String message = failure.getMessage();
        return message == null ? failure.getClass().getSimpleName() : clean(message);
    }

    /** Words the text of an error reply. */
    static String ofReply(String text) {
        String words = clean(RedisRefusal.words(text));
        String advice = RedisRefusal.ofReply(text).advice();
        if (words.startsWith("WRONGPASS") || words.startsWith("NOAUTH")) {
            advice = "check the user and password in quarkus.redis.hosts or quarkus.redis.password";
        } else if (words.startsWith("ERR unknown command")) {
            advice = "the server renamed or lacks a command that Parley needs";
        }
        return advice.isEmpty() ? words : words + " (" + advice + ")";
    }

    /** Removes secrets, line breaks, and what is too long. */
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
