package dev.parley.broker;

/**
 * Which part of a room's log is asked for. A page may be shorter than the limit, but has at least
 * two messages if there are two and the limit is not one.
 */
public sealed interface Range {

    /** The most messages in one page, 1 or more. */
    int limit();

    /**
     * From the oldest message with an offset above this one.
     *
     * @param offset 0 or more
     */
    record After(long offset, int limit) implements Range {}

    /**
     * Up to the newest message with an offset below this one.
     *
     * @param offset 1 or more
     */
    record Before(long offset, int limit) implements Range {}

    /** The newest messages there are. */
    static Range newest(int limit) {
        return new Before(Long.MAX_VALUE, limit);
    }
}
