package dev.parley.broker;

import dev.parley.message.Message;
import java.util.Optional;

/**
 * A message on its way to the broker.
 *
 * @param key recognises a repeat of the message; empty if the publisher gave none
 */
public record PublishRequest(Message message, Optional<IdempotencyKey> key) {}
