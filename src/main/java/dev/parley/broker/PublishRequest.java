package dev.parley.broker;

import dev.parley.message.Message;
import java.util.Optional;

/** A message on its way to the broker, and the key by which a repeat of it is recognised. */
public record PublishRequest(Message message, Optional<IdempotencyKey> key) {}
