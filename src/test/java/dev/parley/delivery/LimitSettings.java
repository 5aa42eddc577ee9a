package dev.parley.delivery;

/** Limits of a pod's streams. */
record LimitSettings(int connections, int connectionsPerAddress, int roomsPerAddress)
        implements StreamLimitsConfig {

    static final LimitSettings DEFAULT = new LimitSettings(1_000, 1_000, 1_000);
}
