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
import org.junit.jupiter.params.provider.ValueSource;

/** When refused writes begin and end, and what the log says of it. */
class RedisWritesTest {

    private static final String AGAIN = "INFO Redis one takes publishes again";

    /** What Redis 7.0 and those since say of a command inside a script. */
    private static final String NO_RIGHT_IN_7_0 =
            "ERR The user executing the script can't run this command or subcommand";

    private static final String NO_RIGHT =
            "ERR ACL failure in script: User default has no permissions to run the 'set' command";

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
    @ValueSource(
            strings = {
                "OOM",
                "MISCONF",
                "NOREPLICAS",
                "ACL failure in script:",
                "The user executing the script can't"
            })
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

    /** The account may not write to one room, and Redis is full for another one's messages. */
    @Test
    void refusalsOfTwoKindsInTurns_areLoggedOnceEach_untilPublishesAreTaken() {
        for (int i = 0; i < 100; i++) {
            writes.onFailure(refused("NOPERM no permissions to access a key"));
            writes.onFailure(refused("OOM of one publish"));
            writes.onAccepted();
            if (i % 10 == 9) {
                writes.onProbe("");
            }
        }

        assertThat(writes.problem().orElseThrow()).as("the last").contains("OOM");
        assertThat(lines).hasSize(2);
        assertThat(lines.get(0)).contains("publish: NOPERM");
        assertThat(lines.get(1)).contains("publish: OOM");

        writes.onProbe("");
        writes.onFailure(refused("OOM of one publish"));

        assertThat(lines).hasSize(4).element(2).isEqualTo(AGAIN);
        assertThat(lines).last().asString().contains("publish: OOM");
    }

    /** The probe may write although publishes may not. */
    @Test
    void refusedRights_beforeAnotherRefusal_endOnceAPublishWasTaken() {
        writes.onFailure(refused("NOPERM no permissions to access a key"));
        writes.onFailure(refused("OOM of one publish"));
        writes.onProbe("");
        writes.onProbe("");
        assertThat(writes.problem()).isPresent();

        writes.onAccepted();
        writes.onProbe("");

        assertThat(writes.problem()).isEmpty();
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
    @ValueSource(strings = {"", NO_RIGHT_IN_7_0, NO_RIGHT})
    void refusedRights_endAtAProbe_onceAPublishWasTaken_whateverTheProbeMayDo(String probe) {
        writes.onFailure(refused(NO_RIGHT));
        writes.onProbe(probe);
        writes.onProbe(probe);
        assertThat(writes.problem().orElseThrow()).contains("users.acl");

        writes.onAccepted();
        assertThat(writes.problem().orElseThrow()).contains("users.acl");
        writes.onProbe(probe);

        assertThat(writes.problem()).isEmpty();
        assertThat(lines).hasSize(2).last().isEqualTo(AGAIN);
    }

    /** The last one is in the place of an error that a later version of Redis may have. */
    @ParameterizedTest
    @ValueSource(strings = {NO_RIGHT_IN_7_0, NO_RIGHT, "ERR for a reason that is not known"})
    void refusal_endsOnceAPublishWasTaken_whereTheProbeMayNotWrite(String probe) {
        writes.onFailure(refused("OOM of one publish"));
        writes.onAccepted();
        writes.onProbe(probe);
        assertThat(writes.problem().orElseThrow()).contains("OOM");

        writes.onProbe(probe);

        assertThat(writes.problem()).isEmpty();
        assertThat(lines).hasSize(2).last().isEqualTo(AGAIN);
    }

    /** The probe was refused in between, too: what counts is that no publish was since. */
    @Test
    void refusalOfAPublish_endsAtTheFirstProbeThatIsTaken_afterOneThatWasRefused() {
        writes.onFailure(refused("OOM of one publish"));
        writes.onProbe("OOM command not allowed");

        writes.onProbe("");

        assertThat(writes.problem()).isEmpty();
        assertThat(lines).hasSize(2).last().isEqualTo(AGAIN);
    }

    @Test
    void refusalOfTheProbesRights_saysNothingAboutPublishes() {
        writes.onProbe(NO_RIGHT);

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
