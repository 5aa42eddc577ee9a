package dev.parley.delivery;

import dev.parley.message.EventId;
import java.util.Optional;

/**
 * A hole in what a reader gets, told to it.
 *
 * @param requested the position that it had, as it wrote it
 * @param oldest the first message that it gets now; empty if none is retained
 * @param newest the position of the newest message
 */
public record Gap(String requested, Optional<EventId> oldest, EventId newest) {}
