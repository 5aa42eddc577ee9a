package dev.parley.testsupport;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.testsupport.ScriptedServer.Peer;
import dev.parley.testsupport.TcpProxy.Direction;
import dev.parley.testsupport.TcpProxy.Moment;
import dev.parley.testsupport.TcpProxy.Text;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class TcpProxyTest {

    @AutoClose private final ScriptedServer server = new ScriptedServer();
    @AutoClose private final TcpProxy proxy = TcpProxy.to(server.port());

    private Socket connect() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), proxy.port());
        socket.setSoTimeout(Timeouts.millis());
        return socket;
    }

    private static void write(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(UTF_8));
    }

    private static boolean isSilent(Socket socket) throws IOException {
        socket.setSoTimeout(100);
        try {
            socket.getInputStream().read();
            return false;
        } catch (SocketTimeoutException silent) {
            return true;
        } finally {
            socket.setSoTimeout(Timeouts.millis());
        }
    }

    @Test
    void bytesAndTheEnd_areForwardedInBothDirections() throws Exception {
        try (Socket client = connect();
                Peer peer = server.accept()) {
            write(client, "a");
            assertThat(peer.read()).isEqualTo('a');

            peer.write("b");
            assertThat(client.getInputStream().read()).isEqualTo('b');

            client.shutdownOutput();
            assertThat(peer.read()).isEqualTo(-1);

            peer.write("c").close();
            assertThat(client.getInputStream().read()).isEqualTo('c');
            assertThat(client.getInputStream().read()).isEqualTo(-1);
            assertThat(proxy.accepted()).isOne();
        }
    }

    @Test
    void blackHoleInOneDirection_holdsBytesBackUntilHealed() throws Exception {
        try (Socket client = connect();
                Peer peer = server.accept()) {
            proxy.blackHole(Direction.TO_CLIENT);

            write(client, "a");
            assertThat(peer.read()).isEqualTo('a');
            peer.write("b");
            assertThat(isSilent(client)).isTrue();

            proxy.heal();

            assertThat(client.getInputStream().read()).isEqualTo('b');
        }
    }

    @Test
    void blackHole_acceptsNewConnections_andForwardsThemWhenHealed() throws Exception {
        proxy.blackHole();

        try (Socket client = connect()) {
            write(client, "a");
            assertThat(isSilent(client)).isTrue();

            proxy.heal();

            try (Peer peer = server.accept()) {
                assertThat(peer.read()).isEqualTo('a');
            }
        }
    }

    @Test
    void cut_resetsBothEnds_andAcceptsNewConnections() throws Exception {
        try (Socket client = connect();
                Peer peer = server.accept()) {
            write(client, "a");
            assertThat(peer.read()).isEqualTo('a');

            proxy.cut();

            assertThatThrownBy(() -> client.getInputStream().read())
                    .isInstanceOf(SocketException.class);
            assertThat(peer.read()).isEqualTo(-1);
        }
        try (Socket client = connect();
                Peer peer = server.accept()) {
            write(client, "b");
            assertThat(peer.read()).isEqualTo('b');
        }
    }

    @Test
    void trap_springsOnce_whenOneConnectionHasPassedItsTexts_beforeTheLastIsForwarded()
            throws Exception {
        try (Socket client = connect();
                Peer peer = server.accept()) {
            CompletableFuture<Void> sprung =
                    proxy.trap(
                            Moment.BEFORE,
                            proxy::cut,
                            new Text(Direction.TO_SERVER, "question"),
                            new Text(Direction.TO_CLIENT, "answer"));
            peer.write("answer");
            assertThat(client.getInputStream().readNBytes(6)).asString(UTF_8).isEqualTo("answer");
            write(client, "ques");
            read(peer, "ques");
            write(client, "tion");
            read(peer, "tion");
            assertThat(sprung).isNotDone();

            peer.write("answer");

            assertThat(sprung).succeedsWithin(Timeouts.LIMIT);
            assertThatThrownBy(() -> client.getInputStream().read())
                    .isInstanceOf(SocketException.class);
        }
        try (Socket client = connect();
                Peer peer = server.accept()) {
            write(client, "question");
            peer.write("answer");
            assertThat(client.getInputStream().readNBytes(6)).asString(UTF_8).isEqualTo("answer");
        }
    }

    @Test
    void trapThatSpringsAfterItsText_forwardsItFirst() throws Exception {
        try (Socket client = connect();
                Peer peer = server.accept()) {
            CompletableFuture<Void> sprung =
                    proxy.trap(
                            Moment.AFTER,
                            () -> peer.write("then"),
                            new Text(Direction.TO_CLIENT, "first"));

            peer.write("first");

            assertThat(client.getInputStream().readNBytes(9))
                    .asString(UTF_8)
                    .isEqualTo("firstthen");
            assertThat(sprung).succeedsWithin(Timeouts.LIMIT);
        }
    }

    private static void read(Peer peer, String text) {
        for (int i = 0; i < text.length(); i++) {
            assertThat(peer.read()).isEqualTo(text.charAt(i));
        }
    }

    @Test
    void refuse_resetsNewConnections_andKeepsOpenOnes_untilHealed() throws Exception {
        try (Socket client = connect();
                Peer peer = server.accept()) {
            proxy.refuse();

            assertThatThrownBy(this::useNewConnection).isInstanceOf(IOException.class);
            write(client, "a");
            assertThat(peer.read()).isEqualTo('a');
            assertThat(proxy.accepted()).isOne();
        }

        proxy.heal();

        try (Socket client = connect();
                Peer peer = server.accept()) {
            write(client, "b");
            assertThat(peer.read()).isEqualTo('b');
        }
    }

    private void useNewConnection() throws IOException {
        try (Socket client = connect()) {
            if (client.getInputStream().read() < 0) {
                throw new IOException("closed");
            }
        }
    }

    @Test
    void retarget_sendsNewConnectionsElsewhere_andKeepsOpenOnes() throws Exception {
        try (ScriptedServer other = new ScriptedServer();
                Socket old = connect();
                Peer oldPeer = server.accept()) {
            proxy.retarget(other.port());

            try (Socket client = connect();
                    Peer peer = other.accept()) {
                peer.write("x");
                assertThat(client.getInputStream().read()).isEqualTo('x');
            }
            write(old, "a");
            assertThat(oldPeer.read()).isEqualTo('a');
            oldPeer.write("b");
            assertThat(old.getInputStream().read()).isEqualTo('b');
        }
    }

    @Test
    void cutAfter_passesThatManyBytesOnEachConnection_andThenResetsIt() throws Exception {
        try (Socket open = connect();
                Peer openPeer = server.accept()) {
            openPeer.write("before");
            assertThat(open.getInputStream().readNBytes(6)).hasSize(6);

            proxy.cutAfter(4);

            assertThatCutAfterFourBytes(open, openPeer);
        }
        try (Socket fresh = connect();
                Peer freshPeer = server.accept()) {
            assertThatCutAfterFourBytes(fresh, freshPeer);
        }
        proxy.heal();
        try (Socket healed = connect();
                Peer healedPeer = server.accept()) {
            healedPeer.write("0123456789");
            assertThat(healed.getInputStream().readNBytes(10)).hasSize(10);
        }
    }

    private static void assertThatCutAfterFourBytes(Socket client, Peer peer) throws IOException {
        String sent = "to the server: not counted";
        write(client, sent);
        for (int i = 0; i < sent.length(); i++) {
            assertThat(peer.read()).isEqualTo(sent.charAt(i));
        }
        peer.write("01").write("2345");

        assertThat(client.getInputStream().readNBytes(4)).asString(UTF_8).isEqualTo("0123");
        assertThatThrownBy(() -> client.getInputStream().read())
                .isInstanceOf(SocketException.class);
    }
}
