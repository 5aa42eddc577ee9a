package dev.parley.redis;

import io.vertx.redis.client.impl.types.ErrorType;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Why Redis refuses a command, by the first words of its error reply. */
public enum RedisRefusal {
    MISCONF("Redis cannot save its data to disk: look at its log, and at the space on its volume"),
    NOREPLICAS("too few replicas are connected to Redis (min-replicas-to-write)"),
    OOM("the memory of Redis is full: raise maxmemory, or keep less (PARLEY_HISTORY_SIZE)"),
    READONLY("the server is a replica"),
    NOPERM("give the account of Parley the rights in k8s/redis/users.acl"),
    BUSY("a script of another program blocks Redis: SCRIPT KILL ends it"),
    LOADING("Redis is loading its data"),
    OTHER("");

    /**
     * An error code, or the words that Redis has in its place, and what follows. A script or an
     * older server may put words before it. Redis says {@code NOPERM} of a command of its own only.
     * Of one inside a script, and of its keys and channels, it has the second of these sentences up
     * to version 7.0 and the first one since.
     */
    private static final Pattern CODE_AND_TEXT =
            Pattern.compile(
                    "\\b(MISCONF|NOREPLICAS|OOM|READONLY|MASTERDOWN|NOPERM|BUSY|LOADING"
                            + "|ACL failure in script:|The user executing the script can't) .*");

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
        return switch (known.group(1)) {
            // A replica that has lost its primary, and refuses reads too.
            case "MASTERDOWN" -> READONLY;
            case "ACL failure in script:", "The user executing the script can't" -> NOPERM;
            default -> valueOf(known.group(1));
        };
    }

    /**
     * Returns what is wrong or what an operator can do, as a clause; empty where only the text of
     * the reply says it.
     */
    String advice() {
        return advice;
    }

    /** Cuts off what precedes a known error code, or the words in its place. */
    static String withoutPrefix(String message) {
        Matcher known = CODE_AND_TEXT.matcher(message);
        return known.find() ? known.group() : message;
    }

    /** Returns the value of the metric's label. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
