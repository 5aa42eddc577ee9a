package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A publish that is repeated under one key is published once, wherever the repeat arrives. */
class IdempotencyIT {

    private static final ExecutorService THREADS = Executors.newFixedThreadPool(6);
    private static RedisServer redis;
    private static ParleyProcess one;
    private static ParleyProcess two;

    @BeforeAll
    static void start() {
        redis = RedisServer.start();
        one = Pods.steady().redis(redis.uri()).start();
        two = Pods.steady().redis(redis.uri()).start();
        Pods.awaitPublishing(one);
        Pods.awaitPublishing(two);
    }

    @AfterAll
    static void stop() {
        THREADS.shutdownNow();
        one.close();
        two.close();
        redis.close();
    }

    @Test
    void repeats_atTwoPodsAtOnce_arePublishedOnce() throws Exception {
        int rounds = 50;
        try (SseReader reader = Pods.open(one, "race")) {
            for (int round = 1; round <= rounds; round++) {
                String text = Integer.toString(round);
                List<Http.Answer> answers =
                        atOnce(
                                List.of(
                                        () -> send(one, text),
                                        () -> send(two, text),
                                        () -> send(one, text),
                                        () -> send(two, text)));

                assertThat(answers).extracting(Http.Answer::status).containsOnly(200);
                assertThat(answers)
                        .extracting(a -> a.header("Event-Id"))
                        .containsOnly(idOf(answers));
                assertThat(answers)
                        .filteredOn(answer -> answer.body().contains("\"duplicate\":false"))
                        .hasSize(1);
            }

            reader.awaitMessages(rounds);
            Pods.sayAtLast(two, "race", "end");
            reader.awaitData("end");
            assertThat(reader.data().subList(0, rounds))
                    .isEqualTo(
                            IntStream.rangeClosed(1, rounds).mapToObj(Integer::toString).toList());
        }
    }

    @Test
    void repeat_isKnownByItsKey_notByItsText() {
        String first =
                new Http(one.uri()).with("Idempotency-Key", "k").sendText("a").header("Event-Id");

        Http.Answer repeat = new Http(two.uri()).with("Idempotency-Key", "k").sendForm("b");
        Http.Answer other = new Http(two.uri()).with("Idempotency-Key", "k2").sendForm("a");

        assertThat(repeat.header("Event-Id")).isEqualTo(first);
        assertThat(other.header("Event-Id")).isNotEqualTo(first);
    }

    @Test
    void badKeys_areRefused() {
        for (String key : List.of("a b", "x".repeat(129))) {
            assertThat(new Http(one.uri()).with("Idempotency-Key", key).sendForm("a").status())
                    .as(key)
                    .isEqualTo(400);
        }
    }

    private static Http.Answer send(ParleyProcess pod, String text) {
        return new Http(pod.uri())
                .with("Accept", "application/json")
                .with("Idempotency-Key", "key-" + text)
                .sendForm(text, "room", "race");
    }

    private static String idOf(List<Http.Answer> answers) {
        return answers.get(0).header("Event-Id");
    }

    private static List<Http.Answer> atOnce(List<Callable<Http.Answer>> calls) throws Exception {
        List<Http.Answer> answers = new ArrayList<>();
        for (Future<Http.Answer> answer : THREADS.invokeAll(calls)) {
            answers.add(answer.get());
        }
        return answers;
    }
}
