package dev.parley.bench.load;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;
import java.util.Map;
import org.HdrHistogram.Histogram;

/** The figures that one run measured, by name. */
final class Figures {

    private static final double NANOS_PER_MILLI = 1_000_000;

    private final Map<String, Number> values = new LinkedHashMap<>();

    Figures put(String name, long value) {
        values.put(name, value);
        return this;
    }

    Figures put(String name, double value) {
        values.put(name, Math.round(value * 1000) / 1000.0);
        return this;
    }

    /** Adds a figure a second time, under another name. */
    void copy(String from, String to) {
        Number value = values.get(from);
        if (value != null) {
            values.put(to, value);
        }
    }

    /** Adds the median, the 99th percentile and the maximum. */
    Figures latency(Histogram nanos) {
        put("p50Millis", nanos.getValueAtPercentile(50) / NANOS_PER_MILLI);
        put("p99Millis", nanos.getValueAtPercentile(99) / NANOS_PER_MILLI);
        return put("maxMillis", nanos.getMaxValue() / NANOS_PER_MILLI);
    }

    /** Adds what must be zero of what the readers have seen. */
    Figures errors(ReaderStats seen) {
        return add("duplicates", seen.duplicates)
                .add("outOfOrder", seen.outOfOrder + seen.idHoles)
                .add("gaps", seen.gaps)
                .add("disconnected", seen.disconnected);
    }

    /** Adds to a figure that may have a value already. */
    Figures add(String name, long value) {
        values.merge(name, value, (one, other) -> one.longValue() + other.longValue());
        return this;
    }

    String json() {
        try {
            return new ObjectMapper().writeValueAsString(values);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
