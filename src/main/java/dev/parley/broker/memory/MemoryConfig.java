package dev.parley.broker.memory;

import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** Bounds of the memory broker. */
@ConfigMapping(prefix = "parley.memory")
public interface MemoryConfig {

    /**
     * Text held over all rooms. Above it the rooms that were used least recently are forgotten,
     * whole, and their next message starts a new epoch; those that nobody ever read go before all
     * others. A room that is above it alone forgets its oldest messages.
     */
    @WithDefault("128M")
    MemorySize maxBytes();
}
