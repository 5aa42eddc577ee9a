package dev.parley.delivery;

import dev.parley.message.EventId;
import java.util.Optional;

/**
 * What a reader is told when messages that it has not received are no longer retained.
 *
 * @param requested the position that it had, as it wrote it
 * @param oldest the first message that it receives now; empty if none is retained
 * @param newest the position of the newest message
 */
public record Gap(String requested, Optional<EventId> oldest, EventId newest) {}
