package dev.parley.delivery;

import dev.parley.message.EventId;
import java.util.Optional;

/**
 * The content of {@code event: gap}: messages that a client has not received are no longer
 * retained.
 *
 * @param requested the position from which the client was to continue: as it wrote it, or that of
 *     its cursor if the gap arose while it was connected
 * @param oldest the first message that the client receives next; empty if none is retained
 * @param newest the position of the newest message
 */
public record Gap(String requested, Optional<EventId> oldest, EventId newest) {}
