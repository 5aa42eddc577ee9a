package dev.parley.log;

import dev.parley.broker.Lineage;
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
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/** Appends a message to a room's log, and reads the newest hundred from it. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
public class RoomLogBenchmark {

    private static final int CAPACITY = 1024;
    private static final int BEHIND = 100;

    private final FrameEncoder encoder =
            new EventStreamEncoder(Duration.ofSeconds(2), Duration.ofSeconds(4));
    private final RoomLog log =
            new RoomLog(
                    Lineage.of("bench"),
                    0,
                    CAPACITY,
                    Long.MAX_VALUE,
                    new RoomLog.Budget(Long.MAX_VALUE),
                    Long.MAX_VALUE,
                    System::nanoTime);
    private final Message message = Message.of(Room.LOBBY, "x".repeat(200), Instant.EPOCH);

    @Setup
    public void fill() {
        for (int i = 0; i < CAPACITY; i++) {
            append();
        }
    }

    @Benchmark
    public void append() {
        var stored = new StoredMessage(new EventId("bench", log.head() + 1), message);
        log.append(new RoomLog.Frame(stored, encoder, System.nanoTime()));
    }

    @Benchmark
    public void readHundred(Blackhole consumer) {
        for (long offset = log.head() - BEHIND + 1; offset <= log.head(); offset++) {
            RoomLog.Frame frame = log.frame(offset);
            if (frame != null) {
                consumer.consume(frame.bytes(Format.TEXT));
            }
        }
    }
}
