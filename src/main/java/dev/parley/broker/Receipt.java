package dev.parley.broker;

import dev.parley.message.EventId;

/**
 * The broker's confirmation that it has a message.
 *
 * @param id that of the message, or of the earlier message that this publish repeated
 * @param duplicate whether this publish repeated an earlier one
 */
public record Receipt(EventId id, boolean duplicate) {}
