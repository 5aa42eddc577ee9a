package dev.parley.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.redis.client.impl.types.ErrorType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The values are those of CLUSTER KEYSLOT. */
class ClusterSlotsTest {

    private static final NodeAddress ASKED = new NodeAddress("10.0.0.9", 7000);

    @ParameterizedTest
    @CsvSource({
        "123456789, 12739",
        "foo, 12182",
        "parley:{foo}:live, 12182",
        "parley:{foo}:head, 12182",
        "{}foo, 9500",
        "a{b, 13340",
        "'', 0"
    })
    void slotOfAName_isThatOfItsHashTag_orOfTheWholeName(String name, int slot) {
        assertThat(ClusterSlots.slotOf(name)).isEqualTo(slot);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "MOVED 12182 10.0.0.1:7001",
                "ERR [1] MOVED 12182 10.0.0.1:7001",
            })
    void movedSlot_isReadFromTheReply(String text) {
        assertThat(ClusterReply.of(ErrorType.create(text), ASKED))
                .contains(new ClusterReply.Moved(12182, new NodeAddress("10.0.0.1", 7001)));
    }

    @Test
    void replyWithoutAHost_isAboutTheHostThatWasAsked() {
        assertThat(ClusterReply.of(ErrorType.create("ASK 1 :7001"), ASKED))
                .contains(new ClusterReply.Ask(new NodeAddress("10.0.0.9", 7001)));
    }

    @Test
    void addressOfVersion6_isReadUpToItsPort() {
        assertThat(ClusterReply.of(ErrorType.create("MOVED 1 fd00::1:7001"), ASKED))
                .contains(new ClusterReply.Moved(1, new NodeAddress("fd00::1", 7001)));
        assertThat(new NodeAddress("fd00::1", 7001)).hasToString("[fd00::1]:7001");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "TRYAGAIN Multiple keys request during rehashing of slot",
                "ERR [1] TRYAGAIN Multiple keys request during rehashing of slot",
                "CLUSTERDOWN The cluster is down",
                "MOVED 3999 ?:6379",
                "ASK 3999 ?:6379"
            })
    void commandThatNoNodeRunsNow_isForLater(String text) {
        assertThat(ClusterReply.of(ErrorType.create(text), ASKED))
                .contains(new ClusterReply.Later());
    }

    @ParameterizedTest
    @ValueSource(strings = {"ERR text MOVED 1 a:1", "NOPERM no", "MOVED", "LOADING"})
    void otherErrors_areNotOfTheCluster(String text) {
        assertThat(ClusterReply.of(ErrorType.create(text), ASKED)).isEmpty();
    }
}
