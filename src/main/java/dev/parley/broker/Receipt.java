package dev.parley.broker;

import dev.parley.message.EventId;

/**
 * The broker's word that it has a message.
 *
 * @param duplicate whether this publish repeated an earlier one, whose id this is
 */
public record Receipt(EventId id, boolean duplicate) {}
