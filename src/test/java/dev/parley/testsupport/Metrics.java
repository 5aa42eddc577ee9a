package dev.parley.testsupport;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;

/** A client of a pod's metrics page. */
public final class Metrics {

    private final Http http;
    private final int port;

    public Metrics(ParleyProcess pod) {
        this.http = pod.management();
        this.port = pod.port();
    }

    /** The whole page. */
    public String page() {
        Http.Answer answer = http.get("/q/metrics");
        assertThat(answer.status()).isEqualTo(200);
        return answer.body();
    }

    /**
     * The value of a series.
     *
     * @param series with its labels, such as {@code parley_disconnects_total{reason="client"}}
     */
    public double value(String series) {
        String page = page();
        return find(series, page)
                .orElseThrow(() -> new AssertionError("no " + series + " in\n" + page));
    }

    /**
     * The open connections of the public port. The pod must listen on a named port: of two servers
     * on ports that the system chose, the framework's metrics show only one.
     */
    public double connections() {
        return value("http_server_active_connections{server_port=\"" + port + "\"}");
    }

    /** The requests that the public port is answering; the same holds for the port. */
    public double activeRequests() {
        return value(
                "http_server_active_requests{server_port=\"" + port + "\",url_scheme=\"http\"}");
    }

    /** Waits until a series has this value. */
    public void awaitValue(String series, double expected) {
        Timeouts.await(series).untilAsserted(() -> assertThat(value(series)).isEqualTo(expected));
    }

    private static Optional<Double> find(String series, String page) {
        return page.lines()
                .filter(line -> line.startsWith(series + " "))
                .map(line -> Double.valueOf(line.substring(series.length() + 1)))
                .findFirst();
    }
}
