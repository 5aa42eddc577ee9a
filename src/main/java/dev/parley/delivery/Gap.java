package dev.parley.delivery;

import dev.parley.message.EventId;
import java.util.Optional;

/**
 * The content of {@code event: gap}: messages that a reader has not received are no longer
 * retained.
 *
 * @param requested the position that the reader had, as it wrote it
 * @param oldest the first message that it receives next; empty if none is retained
 * @param newest the position of the newest message
 */
public record Gap(String requested, Optional<EventId> oldest, EventId newest) {}
