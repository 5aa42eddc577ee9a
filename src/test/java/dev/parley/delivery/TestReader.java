package dev.parley.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

/** A reader: its connection, and its membership. */
record TestReader(TestConnection connection, Hub.Registration registration) {

    /** What it got after what opens every stream. */
    List<String> lines() {
        List<String> lines = connection.lines();
        assertThat(lines.remove(0)).isEqualTo("connected");
        return lines;
    }

    /** What it got after it was told where it is. */
    List<String> delivered() {
        List<String> lines = lines();
        assertThat(lines.remove(0)).startsWith("at ");
        return lines;
    }

    void leave() {
        registration.onConnectionGone();
    }
}
