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

    /** The words of Redis, where a script or an older server put others before them. */
    private static final Pattern WORDS =
            Pattern.compile(
                    "\\b(MISCONF|NOREPLICAS|OOM|READONLY|MASTERDOWN|NOPERM|BUSY|LOADING) .*");

    private final String advice;

    RedisRefusal(String advice) {
        this.advice = advice;
    }

    /** Classifies a failure; empty if it is not an answer of Redis. */
    public static Optional<RedisRefusal> of(Throwable failure) {
        if (!(failure instanceof ErrorType)) {
            return Optional.empty();
        }
        return Optional.of(ofReply(String.valueOf(failure.getMessage())));
    }

    /** Classifies the text of an error reply. */
    static RedisRefusal ofReply(String text) {
        Matcher known = WORDS.matcher(text);
        if (!known.find()) {
            return OTHER;
        }
        // A replica that has lost its primary, and may not even read.
        return known.group(1).equals("MASTERDOWN") ? READONLY : valueOf(known.group(1));
    }

    /** What an operator can do, as a clause; empty where that depends on the words of Redis. */
    String advice() {
        return advice;
    }

    /** Cuts off what stands before the words of Redis. */
    static String words(String message) {
        Matcher known = WORDS.matcher(message);
        return known.find() ? known.group() : message;
    }

    /** The value of the metric's label. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
