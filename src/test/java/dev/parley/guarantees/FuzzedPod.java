package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.SseReader.Event;
import dev.parley.testsupport.Timeouts;
import java.io.Closeable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A pod that is sent anything, and a reader of one of its rooms that has to get what counts. */
final class FuzzedPod implements Closeable {

    static final String ROOM = "watched";

    /** The reader's, and some that wait for another request. */
    private static final int OWN_CONNECTIONS = 20;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final ParleyProcess pod;
    private final SseReader reader;
    private final String epoch;

    /** Ids of the messages in the watched room, in their order. */
    private final List<String> ids = new ArrayList<>();

    private int logChecked;

    FuzzedPod(ParleyProcess pod) {
        this.pod = pod;
        Pods.awaitPublishing(pod);
        reader = SseReader.open(pod.uri("/events?room=" + ROOM)).awaitLastEventId();
        epoch = epochOf(reader.lastEventId());
        logChecked = pod.log().length();
    }

    /** The answer, which has the form that is documented. */
    RawAnswer exchange(RawRequest request) {
        RawAnswer answer = RawAnswer.to(request.bytes(), pod.port(), false);
        assertThat(answer.status()).as(answer.text()).isBetween(200, 499);
        if (answer.status() >= 400 && isOurs(request, answer)) {
            checkError(answer);
        }
        checkLog();
        return answer;
    }

    /**
     * Whether Parley answers: the framework does, wordless, where there is no URI, and for CORS.
     */
    private static boolean isOurs(RawRequest request, RawAnswer answer) {
        boolean refusedOrigin = answer.text().contains(" CORS Rejected ");
        return request.hasUri() && !request.method().equals("HEAD") && !refusedOrigin;
    }

    /** Bytes that may be anything are answered, if at all, with no error of the pod's own. */
    void checkSurvives(byte[] request) {
        try {
            RawAnswer answer = RawAnswer.to(request, pod.port(), true);
            if (!answer.isEmpty()) {
                assertThat(answer.status()).as(answer.text()).isBetween(200, 499);
            }
            checkLog();
        } catch (AssertionError e) {
            throw new AssertionError(RawRequest.printable(request), e);
        }
    }

    /** The same for bytes that are no HTTP/1, of which there is no telling what their answer is. */
    void checkUndisturbed(byte[] bytes) {
        RawAnswer.to(bytes, pod.port(), true);
        checkLog();
    }

    /**
     * The same for a client that does not wait for the end of the answers, or for their beginning.
     */
    void checkWaived(byte[] requests, boolean begun) {
        RawAnswer.waived(requests, pod.port(), begun);
        checkLog();
    }

    /** What the reader got for a publish that was answered 200, if it was in the reader's room. */
    Optional<Event> received(RawAnswer answer) {
        String id = answer.header("Event-Id");
        assertThat(id).as(answer.text()).matches("[0-9a-z]+-[0-9]+");
        if (!epochOf(id).equals(epoch)) {
            return Optional.empty();
        }
        if (!ids.contains(id)) {
            ids.add(id);
        }
        reader.await("event " + id, r -> r.events().size() >= ids.size());
        return reader.events().stream().filter(event -> event.id().equals(id)).findFirst();
    }

    /** The reader has got each message once, in order, and nothing else, on one connection. */
    void checkReader() {
        String fence = new Http(pod.uri()).sendForm("fence", "room", ROOM).header("Event-Id");
        ids.add(fence);
        reader.await("fence", r -> r.lastEventId().equals(fence));
        assertThat(reader.events()).extracting(Event::id).isEqualTo(ids);
        assertThat(reader.connections()).isOne();
    }

    /** Of those who sent anything. */
    void checkNobodyIsLeft() {
        Metrics metrics = new Metrics(pod);
        metrics.awaitValue("parley_connected_clients", 1);
        Timeouts.await("all connections but the test's own are closed")
                .until(() -> metrics.value("http_server_active_connections") <= OWN_CONNECTIONS);
    }

    /** Nothing that is sent is worth a line. */
    void checkLog() {
        String log = pod.log();
        String added = log.substring(logChecked);
        logChecked = log.length();
        assertThat(added).as("added to the log").isEmpty();
    }

    private static void checkError(RawAnswer answer) {
        switch (answer.header("Content-Type")) {
            case "application/problem+json" -> checkProblem(answer);
            case "text/plain;charset=utf-8" ->
                    assertThat(answer.body()).as(answer.text()).matches("[^\\r\\n]{5,300}\\n");
            default -> throw new AssertionError("neither JSON nor text: " + answer.text());
        }
    }

    private static void checkProblem(RawAnswer answer) {
        try {
            JsonNode problem = JSON.readTree(answer.body());
            String code = problem.path("code").textValue();
            assertThat(code).matches("[a-z]+(-[a-z]+)*");
            assertThat(problem.path("type").textValue()).isEqualTo("urn:parley:problem:" + code);
            assertThat(problem.path("title").textValue()).isNotBlank();
            assertThat(problem.path("status").intValue()).isEqualTo(answer.status());
            assertThat(problem.path("detail").textValue()).isNotBlank();
        } catch (JsonProcessingException e) {
            throw new AssertionError(answer.text(), e);
        }
    }

    private static String epochOf(String id) {
        return id.substring(0, id.indexOf('-'));
    }

    @Override
    public void close() {
        reader.close();
        pod.close();
    }
}
