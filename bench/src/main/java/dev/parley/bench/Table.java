package dev.parley.bench;

import java.util.List;

/** The tables of the report: which figures of a scenario are measured, and shown. */
enum Table {
    FAN_OUT(
            "fanout",
            "cpuMicrosPerDelivery",
            new Column("CPU µs per delivery", "cpuMicrosPerDelivery", 1),
            new Column("writes per delivery", "writeCallsPerDelivery", 3),
            new Column("deliveries/s", "deliveriesPerSecond", 0),
            new Column("p50 ms", "p50Millis", 1),
            new Column("p99 ms", "p99Millis", 1),
            new Column("max ms", "maxMillis", 0),
            new Column("lost", "lost", 0),
            new Column("twice", "duplicates", 0),
            new Column("out of order", "outOfOrder", 0),
            new Column("cut off", "disconnected", 0),
            new Column("growth MB", "pssGrowthBytes", 1, 1e-6)),
    PUBLISH(
            "publish",
            "cpuMicrosPerPublish",
            new Column("CPU µs per publish", "cpuMicrosPerPublish", 0),
            new Column("Redis µs", "redisCpuMicrosPerPublish", 0),
            new Column("publishes/s", "publishesPerSecond", 0),
            new Column("p50 ms", "p50Millis", 1),
            new Column("p99 ms", "p99Millis", 1),
            new Column("max ms", "maxMillis", 0),
            new Column("failed", "publishFailures", 0)),
    PODS(
            "fanout",
            "readingCpuMicrosPerPublish",
            new Column("CPU µs per message, all pods", "cpuMicrosPerPublish", 0),
            new Column("pods that are read", "readingCpuMicrosPerPublish", 0),
            new Column("Redis µs", "redisCpuMicrosPerPublish", 0),
            new Column("Redis output bytes per message", "redisOutputBytesPerPublish", 0),
            new Column("messages/s", "deliveriesPerSecond", 0),
            new Column("p50 ms", "p50Millis", 1),
            new Column("p99 ms", "p99Millis", 1),
            new Column("lost", "lost", 0),
            new Column("twice", "duplicates", 0),
            new Column("out of order", "outOfOrder", 0)),
    OPENING(
            "opening",
            "cpuMicrosPerOpening",
            new Column("CPU µs per opening", "cpuMicrosPerOpening", 0),
            new Column("Redis µs", "redisCpuMicrosPerOpening", 0),
            new Column("openings/s", "openingsPerSecond", 0),
            new Column("p99 ms to the position", "openingP99Millis", 1),
            new Column("p50 ms of the other rooms", "p50Millis", 1),
            new Column("p99 ms", "p99Millis", 1),
            new Column("p99 ms without openings", "quietP99Millis", 1),
            new Column("not opened", "openingsLost", 0),
            new Column("lost", "lost", 0),
            new Column("twice", "duplicates", 0),
            new Column("out of order", "outOfOrder", 0),
            new Column("cut off", "disconnected", 0)),
    MEMORY(
            "idle",
            "bytesPerConnection",
            new Column("bytes per connection", "bytesPerConnection", 0),
            new Column("before collection", "bytesPerConnectionBeforeCollection", 0),
            new Column("live heap", "liveHeapBytesPerConnection", 0),
            new Column("MB empty", "pssBefore", 0, 1e-6),
            new Column("MB full", "pssCollected", 0, 1e-6),
            new Column("MB after leaving", "pssAfterLeaving", 0, 1e-6)),
    AS_IT_COMES(
            "as-it-comes",
            "bytesPerConnection",
            new Column("bytes per connection", "bytesPerConnection", 0),
            new Column("MB empty", "pssBefore", 0, 1e-6),
            new Column("MB full", "pssFull", 0, 1e-6),
            new Column("MB a minute after leaving", "pssAfterMinute", 0, 1e-6),
            new Column("× empty", "ratioAfterMinute", 2)),
    COLD(
            "cold",
            "coldCpuMicros",
            new Column("s to readiness", "startMillis", 2, 1e-3),
            new Column("CPU s until then", "startCpuMicros", 2, 1e-6),
            new Column("CPU µs each, first minute", "coldCpuMicros", 1),
            new Column("warm", "warmCpuMicros", 1),
            new Column("ratio", "coldRatio", 2),
            new Column("p99 ms, first minute", "coldP99Millis", 1),
            new Column("p99 ms warm", "p99Millis", 1)),
    STORM(
            "storm",
            "cpuMicrosPerConnection",
            new Column("accepted", "accepted", 0),
            new Column("refused", "refused", 0),
            new Column("seconds", "seconds", 2),
            new Column("CPU µs per connection", "cpuMicrosPerConnection", 0),
            new Column("three seconds later", "cpuMicrosPerConnectionSettled", 0),
            new Column("CPU µs per leaving", "cpuMicrosPerLeaving", 0),
            new Column("lost", "lost", 0),
            new Column("MB empty", "pssBefore", 0, 1e-6),
            new Column("MB full", "pssFull", 0, 1e-6),
            new Column("MB after leaving", "pssAfterLeaving", 0, 1e-6));

    private final String mode;
    private final String cost;

    @SuppressWarnings("ImmutableEnumChecker") // List.of is immutable.
    private final List<Column> columns;

    Table(String mode, String cost, Column... columns) {
        this.mode = mode;
        this.cost = cost;
        this.columns = List.of(columns);
    }

    /** The mode of the load client that measures the figures. */
    String mode() {
        return mode;
    }

    /** The figure by which the servers are compared. */
    String cost() {
        return cost;
    }

    List<Column> columns() {
        return columns;
    }

    /**
     * A column of the table.
     *
     * @param figure name of the figure that it shows
     * @param decimals number of decimal places
     * @param scale factor by which the figure is multiplied
     */
    record Column(String title, String figure, int decimals, double scale) {

        Column(String title, String figure, int decimals) {
            this(title, figure, decimals, 1);
        }
    }
}
