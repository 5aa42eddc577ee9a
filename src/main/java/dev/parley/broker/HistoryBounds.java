package dev.parley.broker;

import java.time.Duration;

/**
 * How many messages of a room a broker retains: those that are within all bounds.
 *
 * @param size messages, 1 or more
 * @param bytes bytes of messages; at least the newest message is kept
 * @param age age of a message, at least a second
 */
public record HistoryBounds(int size, long bytes, Duration age) {}
