package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** A pod that is told to end does so in good order: its readers are told, and it exits with 0. */
final class DrainIT {

    @Test
    void pod_endsItsStreamsWithGoodbyeAndExitsCleanly() {
        try (var pod = ParleyProcess.start();
                var reader = SseReader.open(pod.uri("/events")).awaitConnected()) {
            reader.awaitLastEventId();

            pod.terminate();

            assertThat(reader.awaitEvent("goodbye").data()).isEqualTo("{\"reason\":\"drain\"}");
            reader.awaitClosed();
            assertThat(reader.cleanEnds()).isEqualTo(1);
            assertThat(pod.awaitExit()).isZero();
            assertThat(pod.log()).doesNotContain("ERROR").doesNotContain("WARN");
        }
    }

    @Test
    void drainingPod_isNotReadyButServesWhileProxiesLearn() {
        try (var pod = ParleyProcess.builder().config("parley.drain.delay", "3S").start();
                var reader = SseReader.open(pod.uri("/events")).awaitConnected()) {
            pod.awaitReady();
            reader.awaitLastEventId();

            pod.terminate();
            pod.awaitReadiness(503);

            var http = new Http(pod.uri());
            assertThat(http.get("/q/health/ready").body()).contains("draining");
            assertThat(http.get("/q/health/live").status()).isEqualTo(200);
            assertThat(http.sendForm("still here").status()).isEqualTo(200);
            reader.awaitData("still here");
            assertThat(pod.awaitExit()).isZero();
        }
    }

    @Test
    void newStreamOnDrainingPod_isToldToComeBack() {
        try (var pod = ParleyProcess.builder().config("parley.drain.delay", "3S").start()) {
            pod.awaitReady();
            pod.terminate();
            pod.awaitReadiness(503);

            try (var late = SseReader.to(pod.uri("/events")).lastEventId("k3f9-42").open()) {
                assertThat(late.awaitEvent("goodbye").data()).isEqualTo("{\"reason\":\"drain\"}");
                assertThat(late.status()).isEqualTo(200);
                assertThat(late.retry()).isPresent();
                assertThat(late.lastEventId()).isEqualTo("k3f9-42");
                late.awaitClosed();
            }
            assertThat(pod.awaitExit()).isZero();
        }
    }

    @Test
    void stalledReader_doesNotHoldUpTheEnd() {
        try (var pod = ParleyProcess.builder().config("parley.events.slow-timeout", "5M").start();
                var stalled =
                        SseReader.to(pod.uri("/events")).receiveBuffer(4096).stalled().open();
                var reader = SseReader.open(pod.uri("/events")).awaitConnected()) {
            var http = new Http(pod.uri());
            for (int i = 0; i < 200; i++) {
                assertThat(http.sendText("x".repeat(60_000)).status()).isEqualTo(200);
            }
            reader.awaitMessages(200);

            pod.terminate();

            assertThat(pod.awaitExit()).isZero();
            assertThat(stalled.cleanEnds()).isZero();
        }
    }

    @Test
    void publishInFlight_isAnsweredBeforeTheEnd() {
        try (var redis = RedisServer.start();
                var pod =
                        ParleyProcess.builder()
                                .redis(redis.uri())
                                .config("parley.redis.timeout", "10S")
                                .config("parley.redis.probe-timeout", "30S")
                                .config("parley.drain.delay", "1S")
                                .start()
                                .awaitReady()) {
            redis.pause();
            var answer =
                    CompletableFuture.supplyAsync(() -> new Http(pod.uri()).sendForm("in flight"));
            pod.terminate();
            pod.awaitReadiness(503);
            redis.resume();

            assertThat(answer.join().status()).isEqualTo(200);
            assertThat(pod.awaitExit()).isZero();
        }
    }
}
