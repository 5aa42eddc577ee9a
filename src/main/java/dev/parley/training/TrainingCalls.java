package dev.parley.training;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/**
 * The calls of a training run: every call that clients, probes and Prometheus make, in the forms in
 * which they make it, often enough for the JVM to record which of its methods are busy.
 */
final class TrainingCalls {

    /** Streams that stay open and receive all messages. */
    private static final int READERS = 40;

    /** Streams that are opened and left, as browsers that reconnect do. */
    private static final int OPENINGS = 2_000;

    /** Publishes of each publisher. The JVM compiles for good what has run 5,000 times or more. */
    private static final int MESSAGES = 2_000;

    /** Connections of which each waits for the answer before it publishes again. */
    private static final int PUBLISHERS = 8;

    private static final int READS = 300;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String TEXT = "a message of a length that is usual in a chat ".repeat(4);

    private final URI program;
    private final URI management;
    private final AtomicLong received = new AtomicLong();
    private final ConcurrentLinkedQueue<String> ids = new ConcurrentLinkedQueue<>();

    /**
     * Prepares the calls.
     *
     * @param program the address of the public port
     * @param management the address of the management port
     */
    TrainingCalls(URI program, URI management) {
        this.program = program;
        this.management = management;
    }

    /**
     * Plays all calls and returns when the last one is answered.
     *
     * @throws IllegalStateException if a call is answered with another status than 200
     */
    void play() throws InterruptedException {
        HttpClient http1 = client(Version.HTTP_1_1);
        HttpClient http2 = client(Version.HTTP_2);
        awaitReady(http1);
        List<CompletableFuture<?>> readers = new ArrayList<>();
        for (int i = 0; i < READERS; i++) {
            String query = i % 4 == 0 ? "?format=json&room=lobby&room=training" : "";
            readers.add(read(i % 8 == 0 ? http2 : http1, "/events" + query, ""));
        }
        await("the first bytes of the streams", () -> received.get() >= READERS);
        publish(http1, http2);
        for (int i = 0; i < READS; i++) {
            get(i % 8 == 0 ? http2 : http1, program.resolve("/rooms/lobby/messages?limit=20"));
            get(http1, management.resolve("/q/health/ready"));
            get(http1, management.resolve("/q/health/live"));
            if (i % 10 == 0) {
                get(http1, program.resolve("/"));
                get(http1, management.resolve("/q/metrics"));
            }
        }
        open(http1, http2);
        readers.forEach(reader -> reader.cancel(true));
    }

    private static HttpClient client(Version version) {
        return HttpClient.newBuilder().version(version).connectTimeout(PATIENCE).build();
    }

    private void awaitReady(HttpClient client) throws InterruptedException {
        URI probe = management.resolve("/q/health/ready");
        await("readiness", () -> status(client, HttpRequest.newBuilder(probe)) == 200);
    }

    /** Publishes in each of the forms in which clients do, mostly as a form. */
    private void publish(HttpClient http1, HttpClient http2) throws InterruptedException {
        List<Thread> publishers = new ArrayList<>();
        ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
        for (int p = 0; p < PUBLISHERS; p++) {
            HttpClient client = p == 0 ? http2 : http1;
            Thread publisher =
                    new Thread(
                            () -> {
                                for (int i = 0; i < MESSAGES; i++) {
                                    publish(client, i);
                                }
                            },
                            "publisher " + p);
            publisher.setUncaughtExceptionHandler((thread, failure) -> failures.add(failure));
            publisher.start();
            publishers.add(publisher);
        }
        for (Thread publisher : publishers) {
            publisher.join();
        }
        if (!failures.isEmpty()) {
            throw new IllegalStateException(failures.peek());
        }
    }

    private void publish(HttpClient client, int number) {
        HttpRequest.Builder request = HttpRequest.newBuilder(program.resolve("/send"));
        switch (number % 8) {
            case 0 ->
                    request.header("Content-Type", "application/json")
                            .POST(
                                    BodyPublishers.ofString(
                                            "{\"msg\":\"%s\",\"from\":\"ada\"}".formatted(TEXT)));
            case 1 ->
                    request.header("Content-Type", "text/plain")
                            .POST(BodyPublishers.ofString(TEXT));
            case 2 -> request.header("Accept", "application/json").POST(form("&room=training"));
            case 3 -> request.header("Idempotency-Key", "k" + number).POST(form(""));
            default -> request.POST(form(""));
        }
        if (number % 8 > 1) {
            request.header("Content-Type", "application/x-www-form-urlencoded");
        }
        require(client, request);
    }

    private static HttpRequest.BodyPublisher form(String more) {
        return BodyPublishers.ofString("msg=" + TEXT.replace(' ', '+') + more, UTF_8);
    }

    /** Opens streams and leaves each after its first bytes; every other one resumes. */
    private void open(HttpClient http1, HttpClient http2) throws InterruptedException {
        for (int i = 0; i < OPENINGS; i++) {
            HttpClient client = i % 8 == 0 ? http2 : http1;
            long before = received.get();
            String id = i % 2 == 0 ? "" : String.valueOf(ids.peek());
            String path = i % 4 == 3 ? "/events?history=5" : "/events";
            CompletableFuture<?> stream = read(client, path, id);
            await("the first bytes of a stream", () -> received.get() > before);
            stream.cancel(true);
        }
    }

    /** Opens a stream and counts its lines; keeps the ids of its first ones. */
    private CompletableFuture<?> read(HttpClient client, String path, String lastEventId) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(program.resolve(path)).header("Accept", "text/event-stream");
        if (!lastEventId.isEmpty()) {
            request.header("Last-Event-ID", lastEventId);
        }
        return client.sendAsync(request.build(), BodyHandlers.fromLineSubscriber(new Lines()));
    }

    private void get(HttpClient client, URI uri) {
        require(client, HttpRequest.newBuilder(uri));
    }

    private static void require(HttpClient client, HttpRequest.Builder request) {
        int status = status(client, request);
        if (status != 200) {
            HttpRequest sent = request.build();
            throw new IllegalStateException(sent.method() + " " + sent.uri() + ": " + status);
        }
    }

    private static int status(HttpClient client, HttpRequest.Builder request) {
        try {
            HttpResponse<Void> answer =
                    client.send(request.timeout(PATIENCE).build(), BodyHandlers.discarding());
            return answer.statusCode();
        } catch (IOException e) {
            throw new IllegalStateException("no answer from " + request.build().uri(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static void await(String what, BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException("waited in vain for " + what);
            }
            TimeUnit.MICROSECONDS.sleep(200);
        }
    }

    /** Receives a stream line by line. */
    private final class Lines implements Flow.Subscriber<String> {

        private static final int KEPT_IDS = 100;

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            subscription.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(String line) {
            received.incrementAndGet();
            if (line.startsWith("id:") && !line.contains("=") && ids.size() < KEPT_IDS) {
                ids.add(line.substring("id:".length()).strip());
            }
        }

        @Override
        public void onError(Throwable ended) {}

        @Override
        public void onComplete() {}
    }
}
