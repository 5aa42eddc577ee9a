package dev.parley.broker.memory;

import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** Bounds of the memory broker. */
@ConfigMapping(prefix = "parley.memory")
public interface MemoryConfig {

    /**
     * Memory of all rooms together. Above it, whole rooms are forgotten, and their next message
     * starts a new epoch: first rooms that were never read, then the others, least recently used
     * first. A single room that exceeds it forgets its oldest messages.
     */
    @WithDefault("128M")
    MemorySize maxBytes();
}
