package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

/** A client that has opened a stream. */
record TestReader(TestConnection connection, Hub.Registration registration) {

    /** Returns the lines that it has received after the opening of the stream. */
    List<String> lines() {
        List<String> lines = connection.lines();
        assertThat(lines.remove(0)).isEqualTo("connected");
        return lines;
    }

    /** Returns the lines that it has received after its position. */
    List<String> delivered() {
        List<String> lines = lines();
        assertThat(lines.remove(0)).startsWith("at ");
        return lines;
    }

    /** Returns the number of writes to its connection. */
    int writes() {
        return connection.writes();
    }

    /** Accepts no bytes from now on. */
    void stall() {
        connection.stall();
    }

    /** Takes what is queued, and then accepts no bytes again. */
    void drainOnce() {
        connection.drainOnce();
    }

    /** Takes what is queued, and accepts bytes again. */
    void drain() {
        connection.drain();
    }

    void disconnect() {
        registration.onConnectionGone();
    }
}
