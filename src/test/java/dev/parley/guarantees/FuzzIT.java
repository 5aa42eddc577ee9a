package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.HttpAnswer;
import dev.parley.testsupport.Json;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import dev.parley.testsupport.Timeouts;
import java.io.Closeable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.PropertyDefaults;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeContainer;
import okhttp3.Request;

/**
 * For any request, valid or not: the pod answers without a server error and describes what is wrong
 * with the request, writes nothing into its log, frees everything when the client has gone, and
 * continues to serve others. A reader receives exactly the accepted messages. A pod in memory and a
 * pod on Redis answer the same.
 *
 * <p>{@code -Dfuzz.tries=20000} tries longer.
 */
@PropertyDefaults(edgeCases = EdgeCasesMode.NONE)
class FuzzIT extends GeneratedRequests {

    private static RedisServer redis;
    private static FuzzedPod memory;
    private static FuzzedPod shared;

    @BeforeContainer
    static void start() {
        redis = RedisServer.start();
        memory = new FuzzedPod(pod().start());
        shared = new FuzzedPod(pod().redis(redis.uri()).start());
    }

    /** Drops a room soon after its last reader has left. */
    private static ParleyProcess.Builder pod() {
        return Pods.withQuickReconnect().config("parley.log.linger", "200ms").fixedPort();
    }

    @AfterContainer
    static void stop() {
        memory.close();
        shared.close();
        redis.close();
    }

    @AfterProperty
    void checkThatReadersAreServed() {
        for (FuzzedPod pod : List.of(memory, shared)) {
            pod.checkReader();
            pod.checkThatNothingIsKept();
            pod.checkLog();
        }
    }

    @Property
    void publishCase_isReceivedAsWritten_orRefused(@ForAll("publishCases") PublishCase given) {
        Request request = given.request();

        for (FuzzedPod pod : List.of(memory, shared)) {
            Answer answer = pod.exchange(request);
            // Keys are short, so that an earlier request may have used the same one.
            boolean keyReused = given.hasIdempotencyKey() && answer.status() == 422;
            if (given.mustBeAccepted() && request.hasUri() && !keyReused) {
                assertThat(answer.status()).as(answer.text()).isEqualTo(200);
            }
            if (answer.status() == 200) {
                checkReceived(given, pod, answer);
            }
        }
    }

    private static void checkReceived(PublishCase given, FuzzedPod pod, Answer answer) {
        Optional<Event> event = pod.received(answer);
        assertThat(event.isPresent())
                .as("received in the watched room")
                .isEqualTo(given.fields().room().equals(Optional.of(WATCHED_ROOM)));
        if (event.isPresent() && !given.isReadAsForm() && !given.hasIdempotencyKey()) {
            assertThat(event.get().data()).isEqualTo(given.expectedText());
            assertThat(event.get().type()).isEqualTo(given.expectedType());
        }
    }

    @Property
    void publishRequest_isAnswered(@ForAll("publishRequests") Request request) {
        exchangeWithBoth(request);
    }

    @Property
    void subscription_isAnswered(@ForAll("subscriptions") Request request) {
        exchangeWithBoth(request);
    }

    @Property
    void historyRequest_isAnswered(@ForAll("historyRequests") Request request) {
        exchangeWithBoth(request);
    }

    @Property
    void requestOfAnyMethodAndPath_isAnswered(@ForAll("otherRequests") Request request) {
        exchangeWithBoth(request);
    }

    private static void exchangeWithBoth(Request request) {
        Answer one = memory.exchange(request);
        Answer other = shared.exchange(request);
        assertThat(other.status()).as(other.text()).isEqualTo(one.status());
    }

    @Property
    void mutatedRequest_causesNoServerErrorAndNoLogLine(
            @ForAll("anyRequests") Request request,
            @ForAll Mutation mutation,
            @ForAll @Size(min = 1, max = 4) List<Integer> places,
            @ForAll byte other) {
        checkAnswerIfAny(mutated(request.bytes(), mutation, places, other));
    }

    @Property
    void pipelinedRequests_mutatedOrNot_causeNoServerErrorAndNoLogLine(
            @ForAll("anyRequests") Request first,
            @ForAll("anyRequests") Request second,
            @ForAll Mutation mutation,
            @ForAll @Size(max = 2) List<Integer> places,
            @ForAll byte other) {
        checkAnswerIfAny(mutated(first.followedBy(second), mutation, places, other));
    }

    private static byte[] mutated(
            byte[] bytes, Mutation mutation, List<Integer> places, byte other) {
        byte[] mutated = bytes;
        for (int place : places) {
            mutated = mutation.apply(mutated, Math.floorMod(place, mutated.length), other);
        }
        return mutated;
    }

    private static void checkAnswerIfAny(byte[] request) {
        memory.checkAnswerIfAny(request);
        shared.checkAnswerIfAny(request);
    }

    @Property
    void clientThatResetsItsConnection_causesNoLogLine(
            @ForAll("anyRequests") Request first,
            @ForAll("anyRequests") Request second,
            @ForAll boolean answerBegun) {
        memory.checkReset(first.followedBy(second), answerBegun);
        shared.checkReset(first.followedBy(second), answerBegun);
    }

    @Property
    void anyHttp2Frames_causeNoLogLine(@ForAll("http2Connections") byte[] bytes) {
        memory.checkThatNothingIsLogged(bytes);
        shared.checkThatNothingIsLogged(bytes);
    }

    /** An answer, and the bytes that it was read from. */
    private record Answer(HttpAnswer http, String text) {

        Answer(RawConnection connection) {
            this(connection.answer(), connection.text());
        }

        int status() {
            return http.status();
        }
    }

    /** A pod that receives the generated requests, and a reader in its watched room. */
    private static final class FuzzedPod implements Closeable {

        /** The reader's connection, and those that clients of this test keep for later requests. */
        private static final int OWN_CONNECTIONS = 20;

        private static final Pattern CONTINUE = Pattern.compile("\\AHTTP/1.1 100 [^\r]*\r\n\r\n");
        private static final Pattern STATUS = Pattern.compile("\\A\\S+ ([0-9]{3}) ");
        private static final Pattern STATUS_LINE =
                Pattern.compile("HTTP/1\\.[01] ([0-9]{3}) [^\\r\\n]*\\r\\n[A-Za-z-]+: ");

        private final ParleyProcess pod;
        private final SseReader reader;
        private final String epoch;

        /** Ids of the messages in the watched room, in their order. */
        private final List<String> ids = new ArrayList<>();

        private int logChecked;

        FuzzedPod(ParleyProcess pod) {
            this.pod = pod;
            Pods.awaitPublishing(pod);
            reader = SseReader.open(pod.uri("/events?room=" + WATCHED_ROOM)).awaitLastEventId();
            // The room's epoch begins with its first message.
            String first =
                    new Http(pod.uri()).sendForm("first", "room", WATCHED_ROOM).header("Event-Id");
            ids.add(first);
            reader.awaitMessages(1);
            epoch = RedisFaultBase.epoch(first);
            // Logged once: that a proxy may be in front which is not trusted.
            new Http(pod.uri()).with("Forwarded", "for=192.0.2.1").get("/");
            pod.awaitLog("is not a trusted proxy");
            logChecked = pod.log().length();
        }

        /** Sends a request and checks that the answer has the documented form. */
        Answer exchange(Request request) {
            try (var connection = RawConnection.open(pod.port(), request.bytes())) {
                connection.readUntil(FuzzedPod::isOpenStream);
                var answer = new Answer(connection);
                assertThat(answer.status()).as(answer.text()).isBetween(200, 499);
                if (answer.status() >= 400 && isAnsweredByParley(request, answer)) {
                    checkError(answer);
                }
                checkLog();
                return answer;
            }
        }

        /** An event stream does not end by itself; its first id shows that it is open. */
        private static boolean isOpenStream(String text) {
            return text.contains("text/event-stream") && text.contains("\nid: ");
        }

        /**
         * The server answers some requests without a valid URI, and those that CORS rejects; its
         * answers have no body. An answer to HEAD never has one.
         */
        private static boolean isAnsweredByParley(Request request, Answer answer) {
            boolean refusedOrigin = answer.text().contains(" CORS Rejected ");
            return request.hasUri() && !request.method().equals("HEAD") && !refusedOrigin;
        }

        /** Sends bytes that need not be HTTP; if there is an answer, it is not a server error. */
        void checkAnswerIfAny(byte[] request) {
            try (var connection = RawConnection.open(pod.port(), request)) {
                connection.endOutput();
                connection.readUntil(FuzzedPod::isOpenStream);
                String text = CONTINUE.matcher(connection.text()).replaceFirst("");
                if (!text.isEmpty()) {
                    assertThat(statusIn(text)).as(connection.text()).isBetween(200, 499);
                    // Those of further requests on the connection.
                    assertThat(statusesIn(text)).as(connection.text()).allMatch(s -> s < 500);
                }
                checkLog();
            } catch (AssertionError e) {
                throw new AssertionError(Request.printable(request), e);
            }
        }

        /** Netty repeats the protocol of a mutated request line, so it may not be HTTP/1.1. */
        private static int statusIn(String text) {
            Matcher status = STATUS.matcher(text);
            return status.find() ? Integer.parseInt(status.group(1)) : 0;
        }

        private static List<Integer> statusesIn(String text) {
            return STATUS_LINE
                    .matcher(text)
                    .results()
                    .map(line -> Integer.valueOf(line.group(1)))
                    .toList();
        }

        /** Sends bytes that are not HTTP/1, so that the form of the answer is unknown. */
        void checkThatNothingIsLogged(byte[] bytes) {
            try (var connection = RawConnection.open(pod.port(), bytes)) {
                connection.endOutput();
                connection.readUntil(FuzzedPod::isOpenStream);
            }
            checkLog();
        }

        /**
         * Sends requests and resets the connection.
         *
         * @param answerBegun whether to wait first until the answer begins
         */
        void checkReset(byte[] requests, boolean answerBegun) {
            try (var connection = RawConnection.open(pod.port(), requests)) {
                if (answerBegun) {
                    connection.readUntil(text -> !text.isEmpty());
                }
                connection.reset();
            }
            checkLog();
        }

        /**
         * The event that the reader received for a publish that was answered 200; empty if it was
         * published in another room.
         */
        Optional<Event> received(Answer answer) {
            String id = answer.http().header("Event-Id");
            assertThat(id).as(answer.text()).matches("[0-9a-z]+-[0-9]+");
            if (!RedisFaultBase.epoch(id).equals(epoch)) {
                return Optional.empty();
            }
            if (!ids.contains(id)) {
                ids.add(id);
            }
            reader.await("event " + id, r -> r.events().size() >= ids.size());
            return reader.events().stream().filter(event -> event.id().equals(id)).findFirst();
        }

        /** The reader has received each message once, in order, on one connection. */
        void checkReader() {
            String fence =
                    new Http(pod.uri()).sendForm("fence", "room", WATCHED_ROOM).header("Event-Id");
            ids.add(fence);
            reader.await("fence", r -> r.lastEventId().equals(fence));
            assertThat(reader.events()).extracting(Event::id).isEqualTo(ids);
            assertThat(reader.connections()).isOne();
        }

        /** The streams, connections and rooms of the generated requests are not in memory. */
        void checkThatNothingIsKept() {
            Metrics metrics = new Metrics(pod);
            metrics.awaitValue("parley_connected_clients", 1);
            Timeouts.await("end of all connections but the test's own")
                    .until(() -> metrics.connections() <= OWN_CONNECTIONS);
            for (String kind : List.of("heads", "bodies", "pending", "answers")) {
                metrics.awaitValue("parley_held_bytes{kind=\"" + kind + "\"}", 0);
            }
            // That of the reader.
            metrics.awaitValue("parley_rooms", 1);
        }

        /** The pod has logged nothing since the last check, whatever the requests contained. */
        void checkLog() {
            String log = pod.log();
            String added = log.substring(logChecked);
            logChecked = log.length();
            assertThat(added).as("added to the log").isEmpty();
        }

        private static void checkError(Answer answer) {
            switch (answer.http().header("Content-Type")) {
                case "application/problem+json" -> checkProblem(answer);
                case "text/plain;charset=utf-8" ->
                        assertThat(answer.http().text())
                                .as(answer.text())
                                .matches("[^\\r\\n]{5,300}\\n");
                default -> throw new AssertionError("neither JSON nor text: " + answer.text());
            }
        }

        private static void checkProblem(Answer answer) {
            JsonNode problem = Json.parse(answer.http().text());
            String code = problem.path("code").textValue();
            assertThat(code).matches("[a-z]+(-[a-z]+)*");
            assertThat(problem.path("type").textValue()).isEqualTo("urn:parley:problem:" + code);
            assertThat(problem.path("title").textValue()).isNotBlank();
            assertThat(problem.path("status").intValue()).isEqualTo(answer.status());
            assertThat(problem.path("detail").textValue()).isNotBlank();
        }

        @Override
        public void close() {
            reader.close();
            pod.close();
        }
    }
}
