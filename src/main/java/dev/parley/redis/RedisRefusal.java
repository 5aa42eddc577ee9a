package dev.parley.redis;

import io.vertx.redis.client.impl.types.ErrorType;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Why Redis refuses a command, by the first word of its error reply. */
public enum RedisRefusal {
    MISCONF("Redis cannot save its data to disk: look at its log, and at the space on its volume"),
    NOREPLICAS("too few replicas are connected to Redis (min-replicas-to-write)"),
    OOM("the memory of Redis is full: raise maxmemory, or keep less (PARLEY_HISTORY_SIZE)"),
    READONLY("the server is a replica"),
    NOPERM("give the account of Parley the rights in k8s/redis/users.acl"),
    BUSY("a script of another program blocks Redis: SCRIPT KILL ends it"),
    LOADING("Redis is loading its data"),
    OTHER("");

    /** An error code and what follows it. A script or an older server may put words before it. */
    private static final Pattern CODE_AND_TEXT =
            Pattern.compile(
                    "\\b(MISCONF|NOREPLICAS|OOM|READONLY|MASTERDOWN|NOPERM|BUSY|LOADING) .*");

    private final String advice;

    RedisRefusal(String advice) {
        this.advice = advice;
    }

    /** Classifies a failure; empty if it is not an error reply of Redis. */
    public static Optional<RedisRefusal> of(Throwable failure) {
        if (!(failure instanceof ErrorType) || RedisCommands.isOfAClosedConnection(failure)) {
            return Optional.empty();
        }
        return Optional.of(ofReply(String.valueOf(failure.getMessage())));
    }

    /** Classifies the text of an error reply. */
    static RedisRefusal ofReply(String text) {
        Matcher known = CODE_AND_TEXT.matcher(text);
        if (!known.find()) {
            return OTHER;
        }
        // MASTERDOWN: a replica that has lost its primary, and refuses reads too.
        return known.group(1).equals("MASTERDOWN") ? READONLY : valueOf(known.group(1));
    }

    /**
     * Returns what is wrong or what an operator can do, as a clause; empty where only the text of
     * the reply says it.
     */
    String advice() {
        return advice;
    }

    /** Cuts off what precedes a known error code. */
    static String withoutPrefix(String message) {
        Matcher known = CODE_AND_TEXT.matcher(message);
        return known.find() ? known.group() : message;
    }

    /** Returns the value of the metric's label. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
