package dev.parley.http;

import io.netty.handler.codec.DateFormatter;
import java.time.Instant;
import java.util.Date;

/**
 * The time of day as the header {@code Date} has it, such as {@code Sun, 06 Nov 1994 08:49:37 GMT}
 * (RFC 9110 §5.6.7, §6.6.1). Written once a second, for all answers of that second.
 */
final class HttpDate {

    /** The newest one. Two threads may write the same one at the same time. */
    private static volatile HttpDate newest = new HttpDate(0);

    private final long second;
    private final String text;

    private HttpDate(long second) {
        this.second = second;
        this.text = DateFormatter.format(Date.from(Instant.ofEpochSecond(second)));
    }

    /** Returns the present time. */
    static String now() {
        return at(Instant.now());
    }

    static String at(Instant time) {
        long second = time.getEpochSecond();
        HttpDate date = newest;
        if (date.second != second) {
            date = new HttpDate(second);
            newest = date;
        }
        return date.text;
    }
}
