package dev.parley.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import dev.parley.testsupport.Tool;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** A pod that receives SIGTERM says goodbye to its readers and exits with status 0. */
final class DrainIT {

    /** Longer than any test takes. The test's end kills the draining pod. */
    private static final String LONG = "1H";

    @Test
    void pod_endsItsStreams_thoseOfTheClockToo_withGoodbye_andExitsCleanly() {
        try (var pod = ParleyProcess.start().awaitReady();
                var events = SseReader.open(pod.uri("/events")).awaitLastEventId();
                var clock = SseReader.open(pod.uri("/clock")).awaitMessages(1)) {
            pod.terminate();

            for (SseReader reader : List.of(events, clock)) {
                assertThat(reader.awaitEvent("goodbye").data()).isEqualTo("{\"reason\":\"drain\"}");
                assertThat(reader.retry()).isPresent();
                reader.awaitClosed();
                assertThat(reader.cleanEnds()).isEqualTo(1);
            }
            assertThat(pod.awaitExit()).isZero();
            assertThat(pod.log()).doesNotContain("ERROR").doesNotContain("WARN");
        }
    }

    @Test
    void podThatIsStarting_endsWithoutAnError() {
        if (!System.getProperty("parley.native", "").isBlank()) {
            throw Tool.skip("a native executable starts before it can be terminated");
        }
        try (var pod =
                ParleyProcess.builder()
                        .config(
                                "quarkus.log.category.\"io.netty.util.internal.logging\".level",
                                "DEBUG")
                        .startProcess()) {
            // Netty's first line comes before the framework adds most of its shutdown hooks.
            String early = "default logging framework";
            assertThat(pod.awaitOutput(log -> Optional.of(log).filter(l -> l.contains(early))))
                    .isPresent();

            pod.terminate();

            assertThat(pod.awaitExit()).isZero();
            assertThat(pod.log()).doesNotContain("ERROR").doesNotContain("Exception");
        }
    }

    @Test
    void drainingPod_isNotReady_butServesDuringTheDelay_andRefusesNewStreams() {
        try (var pod = ParleyProcess.builder().config("parley.drain.delay", LONG).start();
                var reader = SseReader.open(pod.uri("/events")).awaitConnected()) {
            pod.awaitReady();
            reader.awaitLastEventId();

            pod.terminate();
            pod.awaitReadiness(503);

            var http = new Http(pod.uri());
            var management = pod.management();
            assertThat(management.get("/q/health/ready").body()).contains("draining");
            assertThat(management.get("/q/health/live").status()).isEqualTo(200);
            assertThat(http.sendForm("still here").status()).isEqualTo(200);
            reader.awaitData("still here");
            try (var late = SseReader.to(pod.uri("/events")).lastEventId("k3f9-42").open()) {
                assertThat(late.awaitEvent("goodbye").data()).isEqualTo("{\"reason\":\"drain\"}");
                assertThat(late.status()).isEqualTo(200);
                assertThat(late.retry()).isPresent();
                assertThat(late.lastEventId()).isEqualTo("k3f9-42");
                late.awaitClosed();
            }
            assertThat(reader.connected()).isTrue();
        }
    }

    @Test
    void drainingPod_closesEachConnectionAfterItsAnswer() {
        try (var redis = RedisServer.start();
                var pod =
                        ParleyProcess.builder()
                                .fixedPort()
                                .redis(redis.uri())
                                .config("parley.drain.delay", LONG)
                                .start()
                                .awaitReady();
                var reader = SseReader.open(pod.uri("/events")).awaitLastEventId();
                var idle = RawConnection.open(pod.port(), publish("before"))) {
            idle.readAnswer();
            assertThat(idle.answer().header("Connection")).isEmpty();
            redis.pause();
            try (var inFlight = RawConnection.open(pod.port(), publish("in flight"))) {
                var metrics = new Metrics(pod);
                Timeouts.await("the publish is active").until(() -> metrics.activeRequests() == 1);
                pod.terminate();
                pod.awaitReadiness(503);
                redis.resume();

                inFlight.readToEnd();
                assertThat(inFlight.answer().status()).isEqualTo(200);
                assertThat(inFlight.answer().header("Connection")).contains("close");
            }
            idle.send(publish("on a connection of before"));
            idle.readToEnd();
            assertThat(idle.text()).containsOnlyOnce("Connection: close").endsWith("ok");
            try (var refused = RawConnection.open(pod.port(), get("/events?history=x"))) {
                refused.readToEnd();
                assertThat(refused.answer().status()).isEqualTo(400);
                assertThat(refused.answer().header("Connection")).contains("close");
            }
            reader.awaitData("before");
            reader.awaitData("in flight");
            reader.awaitData("on a connection of before");
            assertThat(reader.connected()).isTrue();
        }
    }

    @Test
    void stalledReader_doesNotDelayTheExit() {
        try (var pod = ParleyProcess.builder().config("parley.events.heartbeat", "200MS").start();
                var stalled =
                        SseReader.to(pod.uri("/events")).receiveBuffer(4096).stalled().open();
                var reader = SseReader.open(pod.uri("/events")).awaitConnected()) {
            var http = new Http(pod.uri());
            var metrics = new Metrics(pod);
            metrics.awaitValue("parley_connected_clients", 2);
            for (int i = 0; i < 200; i++) {
                assertThat(http.sendText("x".repeat(60_000)).status()).isEqualTo(200);
            }
            reader.awaitMessages(200);
            metrics.awaitValue("parley_slow_readers", 1);

            pod.terminate();

            assertThat(pod.awaitExit()).isZero();
            assertThat(pod.log()).doesNotContain("ERROR").doesNotContain("WARN");
            stalled.continueReading();
            stalled.awaitClosed();
            assertThat(stalled.cleanEnds()).isZero();
        }
    }

    @Test
    void publishInFlight_isAnsweredBeforeTheExit() {
        try (var redis = RedisServer.start();
                var pod =
                        ParleyProcess.builder()
                                .fixedPort()
                                .redis(redis.uri())
                                .start()
                                .awaitReady();
                var reader = SseReader.open(pod.uri("/events")).awaitLastEventId()) {
            var metrics = new Metrics(pod);
            redis.pause();
            var answer =
                    CompletableFuture.supplyAsync(() -> new Http(pod.uri()).sendForm("in flight"));
            Timeouts.await("the publish is active").until(() -> metrics.activeRequests() == 1);
            pod.terminate();
            reader.awaitEvent("goodbye");
            Timeouts.await("no connection is accepted").until(() -> isRefused(pod.port()));
            assertThat(pod.management().get("/q/health/live").status()).isEqualTo(200);
            redis.resume();

            assertThat(answer.join().status()).isEqualTo(200);
            assertThat(pod.awaitExit()).isZero();
            assertThat(pod.log()).doesNotContain("ERROR").doesNotContain("WARN");
        }
    }

    private static boolean isRefused(int port) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return false;
        } catch (ConnectException refused) {
            return true;
        }
    }

    private static byte[] publish(String text) {
        return ("POST /send HTTP/1.1\r\nHost: parley\r\nContent-Type: text/plain\r\n"
                        + "Content-Length: "
                        + text.length()
                        + "\r\n\r\n"
                        + text)
                .getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] get(String target) {
        return ("GET " + target + " HTTP/1.1\r\nHost: parley\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
    }
}
