package dev.parley.bench.jmh;

import dev.parley.log.Format;
import dev.parley.message.EventId;
import dev.parley.message.Message;
import dev.parley.message.Message.StoredMessage;
import dev.parley.message.Room;
import dev.parley.sse.EventStreamEncoder;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Encodes a message as an event, which happens once for each message and format on a pod. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class EncoderBenchmark {

    private final EventStreamEncoder encoder =
            new EventStreamEncoder(Duration.ofSeconds(2), Duration.ofSeconds(4));
    private StoredMessage message = message("");

    /** Characters of the text. */
    @Param({"20", "200", "20000"})
    public int length;

    /** Number of lines of the text. */
    @Param({"1", "10"})
    public int lines;

    @Setup
    public void createMessage() {
        String line = "x".repeat(Math.max(1, length / lines));
        message = message((line + '\n').repeat(lines - 1) + line);
    }

    private static StoredMessage message(String text) {
        String nonEmpty = text.isEmpty() ? "x" : text;
        return new StoredMessage(
                new EventId("bench", 1), Message.of(Room.LOBBY, nonEmpty, Instant.EPOCH));
    }

    @Benchmark
    public Object text() {
        return encoder.encode(message, Format.TEXT);
    }

    @Benchmark
    public Object json() {
        return encoder.encode(message, Format.JSON);
    }
}
