package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Http2Frames;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.SseReader;
import dev.parley.testsupport.Timeouts;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A pod that a stranger attacks. It has to serve a publisher and a reader at another address
 * meanwhile, and to hold nothing of the stranger afterwards.
 *
 * <p>Registered as an extension in a static field, it runs for all tests of the class. Each test
 * has a reader of its own, and what the pod holds is checked after each.
 */
final class AttackedPod
        implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {

    static final InetAddress STRANGER = RawConnection.address("127.0.0.66");

    private final ParleyProcess.Builder settings;
    private ParleyProcess pod;
    private Metrics metrics;
    private Http http;
    private final List<RawConnection> attack = new ArrayList<>();
    private SseReader reader;
    private int served;

    AttackedPod(ParleyProcess.Builder settings) {
        this.settings = settings;
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        pod = settings.start().awaitReady();
        metrics = new Metrics(pod);
        http = new Http(pod.uri());
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        reader = SseReader.open(pod.uri("/events?room=lobby")).awaitLastEventId();
    }

    ParleyProcess pod() {
        return pod;
    }

    Metrics metrics() {
        return metrics;
    }

    /** Calls of the publisher. */
    Http http() {
        return http;
    }

    /** Connections of the stranger. */
    List<RawConnection> attack() {
        return attack;
    }

    /** Connects as the stranger. */
    RawConnection connect(byte[] bytes) {
        RawConnection connection = RawConnection.open(pod.port(), STRANGER, bytes);
        attack.add(connection);
        return connection;
    }

    /** Connects as the stranger. */
    RawConnection connect(String bytes) {
        return connect(bytes.getBytes(StandardCharsets.US_ASCII));
    }

    /** Connects as the stranger. */
    RawConnection connect(Http2Frames frames) {
        return connect(frames.toBytes());
    }

    void assertServed() {
        String text = "served " + ++served;
        assertThat(http.sendForm(text).status()).isEqualTo(200);
        reader.awaitData(text);
    }

    /** How often clients have met a bound. */
    double met(String bound) {
        return met(metrics, bound);
    }

    /** How often clients have met a bound. */
    static double met(Metrics metrics, String bound) {
        return metrics.value("parley_bounds_met_total{bound=\"" + bound + "\"}");
    }

    /** How many publishes were rejected. */
    double rejected() {
        return metrics.value("parley_messages_published_total{result=\"rejected\"}");
    }

    void awaitMet(String bound, double count) {
        Timeouts.await(bound)
                .untilAsserted(() -> assertThat(met(bound)).isGreaterThanOrEqualTo(count));
    }

    /** Bytes that the pod holds of a kind, such as {@code heads}. */
    double held(String kind) {
        return metrics.value("parley_held_bytes{kind=\"" + kind + "\"}");
    }

    void awaitHeld(String kind, double bytes) {
        Timeouts.await(kind)
                .untilAsserted(() -> assertThat(held(kind)).isGreaterThanOrEqualTo(bytes));
    }

    /** Ends the attack and the reader, and checks what is left. */
    @Override
    public void afterEach(ExtensionContext context) {
        try {
            assertServed();
        } finally {
            attack.forEach(RawConnection::close);
            attack.clear();
            reader.close();
        }
        for (String kind : List.of("heads", "bodies", "pending", "answers", "backlogs")) {
            metrics.awaitValue("parley_held_bytes{kind=\"" + kind + "\"}", 0);
        }
        Timeouts.await("the stranger's connections are gone")
                .untilAsserted(() -> assertThat(metrics.value("parley_sockets")).isLessThan(5));
        assertThat(pod.log()).doesNotContain(" ERROR ").doesNotContain("OutOfMemory");
    }

    @Override
    public void afterAll(ExtensionContext context) {
        pod.close();
    }
}
