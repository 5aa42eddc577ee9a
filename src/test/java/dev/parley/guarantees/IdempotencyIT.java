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

/** A publish that is repeated under one key is published once, on whichever pod it arrives. */
@ExtendWith(MemoryAndRedisPods.Extension.class)
class IdempotencyIT {

    private final TestRoom room;
    private final Http one;
    private final Http two;

    IdempotencyIT(MemoryAndRedisPods pods) {
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

    @Test
    void repeat_isRecognisedByItsKey_andNotByItsText() {
        Answer first = one.with("Idempotency-Key", "k").sendText("a", "room", room.name());

        Answer repeat = two.with("Idempotency-Key", "k").sendForm("b", "room", room.name());
        Answer other = two.with("Idempotency-Key", "k2").sendForm("a", "room", room.name());

        assertThat(repeat.header("Event-Id")).isEqualTo(first.header("Event-Id"));
        assertThat(other.header("Event-Id")).isNotEqualTo(first.header("Event-Id"));
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
