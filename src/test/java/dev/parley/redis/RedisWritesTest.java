package dev.parley.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.redis.client.impl.types.ErrorType;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.jboss.logmanager.formatters.PatternFormatter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** When refused writes begin and end, and what the log says of it. */
class RedisWritesTest {

    private static final String AGAIN = "INFO Redis one takes publishes again";

    private final Logger logger = Logger.getLogger(RedisWrites.class.getName());
    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final Handler handler =
            new Handler() {
                @Override
                public void publish(LogRecord line) {
                    String text = new PatternFormatter("%p %m").format(line);
                    if (text.contains(" Redis one ")) {
                        lines.add(text);
                    }
                }

                @Override
                public void flush() {}

                @Override
                public void close() {}
            };

    /** The name keeps the lines of other tests out. */
    private final RedisWrites writes = new RedisWrites("Redis one");

    @BeforeEach
    void readLog() {
        logger.addHandler(handler);
    }

    @AfterEach
    void leaveLog() {
        logger.removeHandler(handler);
    }

    /** Near maxmemory Redis refuses long publishes and takes short ones. */
    @ParameterizedTest
    @ValueSource(strings = {"OOM", "MISCONF", "NOREPLICAS", "NOPERM"})
    void publishesThatAreRefusedAndTakenInTurns_areOneRefusal(String code) {
        for (int i = 0; i < 100; i++) {
            writes.onFailure(refused(code + " of one publish"));
            writes.onAccepted();
            if (i % 10 == 9) {
                writes.onProbe("");
            }
        }

        assertThat(writes.problem().orElseThrow()).contains(code);
        assertThat(lines).hasSize(1);
        assertThat(lines.get(0)).startsWith("WARN Redis one refuses to publish: " + code);

        writes.onProbe("");

        assertThat(writes.problem()).isEmpty();
        assertThat(lines).hasSize(2).last().isEqualTo(AGAIN);
    }

    @Test
    void refusalOfTheProbe_endsWithTheNextProbeThatIsTaken() {
        writes.onProbe("OOM command not allowed");
        assertThat(writes.problem().orElseThrow()).contains("OOM");

        writes.onAccepted();
        assertThat(writes.problem().orElseThrow()).contains("OOM");

        writes.onProbe("");
        assertThat(writes.problem()).isEmpty();
        assertThat(lines).hasSize(2).last().isEqualTo(AGAIN);
    }

    /** The commands of the probe may be allowed although those of a publish are not. */
    @ParameterizedTest
    @CsvSource({"''", "NOPERM no permissions to run set"})
    void refusedRights_endAtAProbe_onceAPublishWasTaken_whateverTheProbeMayDo(String probe) {
        writes.onFailure(refused("NOPERM no permissions to run xadd"));
        writes.onProbe(probe);
        writes.onProbe(probe);
        assertThat(writes.problem().orElseThrow()).contains("NOPERM");

        writes.onAccepted();
        assertThat(writes.problem().orElseThrow()).contains("NOPERM");
        writes.onProbe(probe);

        assertThat(writes.problem()).isEmpty();
        assertThat(lines).hasSize(2).last().isEqualTo(AGAIN);
    }

    @Test
    void refusal_endsOnceAPublishWasTaken_whereTheProbeMayNotWrite() {
        writes.onFailure(refused("OOM of one publish"));
        writes.onAccepted();
        writes.onProbe("NOPERM no permissions to run set");
        assertThat(writes.problem().orElseThrow()).contains("OOM");

        writes.onProbe("NOPERM no permissions to run set");

        assertThat(writes.problem()).isEmpty();
        assertThat(lines).hasSize(2).last().isEqualTo(AGAIN);
    }

    @Test
    void refusalOfTheProbesRights_saysNothingAboutPublishes() {
        writes.onProbe("NOPERM no permissions to run set");

        assertThat(writes.problem()).isEmpty();
        assertThat(lines).isEmpty();
    }

    @Test
    void failureOfOnePublish_isNotARefusalOfWrites() {
        writes.onFailure(refused("WRONGTYPE one room's key"));
        writes.onFailure(new RedisUnavailable("no answer"));

        assertThat(writes.problem()).isEmpty();
        assertThat(lines).isEmpty();
    }

    private static RedisUnavailable refused(String reply) {
        return new RedisUnavailable("Redis refused: " + reply, ErrorType.create(reply));
    }
}
