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

    void disconnect() {
        registration.onConnectionGone();
    }
}
