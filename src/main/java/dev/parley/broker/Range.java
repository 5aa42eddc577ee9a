package dev.parley.broker;

/**
 * The part of a room's log to read. A page may be shorter than the limit, but has at least two
 * messages if the range has two and the limit is not one.
 */
public sealed interface Range {

    /** Returns how many messages the page has at most, 1 or more. */
    int limit();

    /**
     * The oldest messages with an offset above this one.
     *
     * @param offset 0 or more
     */
    record After(long offset, int limit) implements Range {}

    /**
     * The newest messages with an offset below this one.
     *
     * @param offset 1 or more
     */
    record Before(long offset, int limit) implements Range {}

    /** Returns the range of the newest messages. */
    static Range newest(int limit) {
        return new Before(Long.MAX_VALUE, limit);
    }
}
