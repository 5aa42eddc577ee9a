package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jboss.logmanager.ExtLogRecord;
import org.jboss.logmanager.Level;
import org.jboss.logmanager.formatters.PatternFormatter;
import org.junit.jupiter.api.Test;

class BoundedLogTest {

    private long nanoTime = 5;
    private final BoundedLog log = new BoundedLog(() -> nanoTime);
    private final List<String> written = new ArrayList<>();

    @Test
    void warningsOfAClass_areTenAMinute_andTheRestIsCounted() {
        say(Level.WARN, "a", 1_000);

        assertThat(written).hasSize(BoundedLog.LINES);
        assertThat(written.get(8)).isEqualTo("room 9: it happened");
        assertThat(written.get(9))
                .isEqualTo(
                        "room 10: it happened (further lines of this class are left out for up to"
                                + " a minute)");

        pass(Duration.ofMinutes(1));
        say(Level.WARN, "a", 1);

        assertThat(written.get(10))
                .isEqualTo("room 1: it happened (990 more lines of this class were left out)");
    }

    @Test
    void otherClasses_areNotAffected() {
        say(Level.ERROR, "a", 100);
        say(Level.ERROR, "b", 1);

        assertThat(written).last().isEqualTo("room 1: it happened");
    }

    @Test
    void fewWarnings_areWrittenAsTheyAre() {
        for (int i = 0; i < 50; i++) {
            say(Level.WARN, "a", 1);
            pass(Duration.ofSeconds(10));
        }

        assertThat(written).hasSize(50).containsOnly("room 1: it happened");
    }

    @Test
    void information_isNotBounded() {
        say(Level.INFO, "access-log", 100);

        assertThat(written).hasSize(100);
    }

    private void say(Level level, String source, int times) {
        IntStream.rangeClosed(1, times)
                .forEach(
                        i -> {
                            var event =
                                    new ExtLogRecord(
                                            level,
                                            "room %d: it happened",
                                            ExtLogRecord.FormatStyle.PRINTF,
                                            getClass().getName());
                            event.setLoggerName(source);
                            event.setParameters(new Object[] {i});
                            if (log.isLoggable(event)) {
                                written.add(new PatternFormatter("%s").format(event));
                            }
                        });
    }

    private void pass(Duration time) {
        nanoTime += time.toNanos();
    }
}
