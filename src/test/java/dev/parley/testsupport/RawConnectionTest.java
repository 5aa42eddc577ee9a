package dev.parley.testsupport;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.testsupport.ScriptedServer.Peer;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class RawConnectionTest {

    private static final String REQUEST = "GET /\u0001 HTTP/1.1\r\nBad Header\r\n\r\n";
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    @AutoClose private final ScriptedServer server = new ScriptedServer();

    @Test
    void readAnswer_endsWithOneAnswer_readToEndWithTheConnection() {
        try (var connection = RawConnection.open(server.port(), REQUEST.getBytes(UTF_8));
                Peer peer = server.accept()) {
            assertThat(peer.readRequest()).isEqualTo(REQUEST);
            peer.write(OK);
            connection.readAnswer();
            assertThat(connection.text()).isEqualTo(OK);

            peer.write("HTTP/1.1 400").close();
            connection.readToEnd();
            assertThat(connection.text()).isEqualTo(OK + "HTTP/1.1 400");
            assertThat(connection.answer().text()).isEqualTo("ok");
        }
    }

    @Test
    void await_takesNothingBehindTheText_andFailsAtTheEnd() {
        try (var connection = RawConnection.open(server.port(), REQUEST.getBytes(UTF_8))) {
            server.accept().write("one two three").close();

            connection.await("two");
            assertThat(connection.text()).isEqualTo("one two");
            assertThatThrownBy(() -> connection.await("four"))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("one two three");
        }
    }
}
