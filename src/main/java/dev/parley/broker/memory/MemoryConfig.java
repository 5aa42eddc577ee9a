package dev.parley.broker.memory;

import dev.parley.settings.PositiveSize;
import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithConverter;
import io.smallrye.config.WithDefault;

/** Bounds of the memory broker. */
@ConfigMapping(prefix = "parley.memory")
public interface MemoryConfig {

    /**
     * Memory of all rooms' messages and receipts, estimated. Above it, rooms that were never read
     * are forgotten first; then the room that grows forgets its oldest messages, down to an eighth
     * of this; then rooms that are not open on the pod are forgotten, least recently used first;
     * then the largest room forgets its oldest messages, or is forgotten if it has one message,
     * even if it is open. A room that is forgotten starts a new epoch with its next message.
     */
    @WithDefault("128M")
    @WithConverter(PositiveSize.class)
    MemorySize maxBytes();
}
