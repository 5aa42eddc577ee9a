package dev.parley.guarantees;

import static dev.parley.testsupport.TestRoom.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.guarantees.MemoryAndRedisPods.Kind;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http.Answer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.TestRoom;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A publish that is repeated under one key is published once, on whichever pod it arrives. */
@ExtendWith(MemoryAndRedisPods.Extension.class)
class IdempotencyIT {

    private final MemoryAndRedisPods pods;
    private final TestRoom room;
    private final Http one;
    private final Http two;

    IdempotencyIT(MemoryAndRedisPods pods) {
        this.pods = pods;
        room = pods.newRoom(Kind.REDIS);
        one = pods.http(Kind.REDIS).with("Accept", "application/json");
        two = new Http(pods.second().uri()).with("Accept", "application/json");
    }

    @Test
    void repeats_sentToTwoPodsAtOnce_arePublishedOnce() {
        int rounds = 50;
        try (SseReader reader = room.subscribe()) {
            for (String text : numbers(1, rounds)) {
                List<Answer> answers = sendAtOnce(text, one, two, one, two);

                String id = answers.get(0).header("Event-Id");
                assertThat(answers).extracting(Answer::status).containsOnly(200);
                assertThat(answers).extracting(a -> a.header("Event-Id")).containsOnly(id);
                assertThat(answers)
                        .filteredOn(answer -> answer.body().contains("\"duplicate\":false"))
                        .hasSize(1);
            }

            room.publish("end");
            assertThat(reader.awaitData("end").data().subList(0, rounds))
                    .isEqualTo(numbers(1, rounds));
            assertThat(reader.data()).hasSize(rounds + 1);
        }
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void key_underAnotherMessage_isRefused_andNothingIsPublished(Kind kind) {
        TestRoom other = pods.newRoom(kind);
        Http client = pods.http(kind).with("Accept", "application/json");
        Http keyed = client.with("Idempotency-Key", "k");
        Answer first = keyed.sendForm("a", "room", other.name());

        Answer reused = keyed.sendForm("b", "room", other.name());
        Answer repeat = keyed.sendForm("a", "room", other.name());

        assertThat(reused.status()).isEqualTo(422);
        assertThat(reused.body()).contains("\"code\":\"idempotency-key-reused\"");
        assertThat(repeat.status()).isEqualTo(200);
        assertThat(repeat.header("Event-Id")).isEqualTo(first.header("Event-Id"));
        assertThat(client.sendForm("c", "room", other.name()).header("Event-Id")).endsWith("-2");
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void keyOfOneSender_isNotTakenByAnother(Kind kind) {
        TestRoom other = pods.newRoom(kind);
        Http keyed =
                pods.http(kind).with("Accept", "application/json").with("Idempotency-Key", "k");

        Answer ada = keyed.sendForm("a", "room", other.name(), "from", "Ada");
        Answer bob = keyed.sendForm("b", "room", other.name(), "from", "Bob");
        Answer adaAgain = keyed.sendForm("a", "room", other.name(), "from", "Ada");

        assertThat(bob.status()).isEqualTo(200);
        assertThat(bob.header("Event-Id")).isNotEqualTo(ada.header("Event-Id"));
        assertThat(adaAgain.header("Event-Id")).isEqualTo(ada.header("Event-Id"));
        assertThat(adaAgain.body()).contains("\"duplicate\":true");
    }

    private List<Answer> sendAtOnce(String text, Http... clients) {
        List<CompletableFuture<Answer>> answers =
                Stream.of(clients)
                        .map(client -> client.with("Idempotency-Key", "key-" + text))
                        .map(
                                client ->
                                        CompletableFuture.supplyAsync(
                                                () -> client.sendForm(text, "room", room.name()),
                                                task -> new Thread(task).start()))
                        .toList();
        return answers.stream().map(CompletableFuture::join).toList();
    }
}
