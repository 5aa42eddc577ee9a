package dev.parley.delivery;

import dev.parley.message.EventId;
import java.util.Optional;

/**
 * The content of {@code event: gap}: messages that a client has not received are no longer
 * retained.
 *
 * @param requested the position from which the client was to continue: as it wrote it, or that of
 *     its cursor if the gap arose while it was connected
 * @param oldest the message with which what follows begins: the oldest that is retained, or the one
 *     after those that another program deleted; empty if what follows begins after {@code newest}
 * @param newest the position of the newest message
 */
public record Gap(String requested, Optional<EventId> oldest, EventId newest) {}
