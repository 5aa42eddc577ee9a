package dev.parley.delivery;

import java.util.OptionalInt;

/** Limits of a pod's streams. */
record LimitSettings(int connections, int connectionsPerAddress, OptionalInt roomsPerAddress)
        implements StreamLimitsConfig {

    static final LimitSettings DEFAULT = new LimitSettings(1_000, 1_000, 1_000);

    LimitSettings(int connections, int connectionsPerAddress, int roomsPerAddress) {
        this(connections, connectionsPerAddress, OptionalInt.of(roomsPerAddress));
    }
}
