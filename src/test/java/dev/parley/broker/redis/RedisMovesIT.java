package dev.parley.broker.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.RedisServer;
import dev.parley.testsupport.Sockets;
import dev.parley.testsupport.Timeouts;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * Redis comes back under another address, as a pod of a StatefulSet does, and the old address
 * answers nothing at all: packets to it are lost.
 */
@EnabledOnOs(OS.LINUX) // Any address 127.x.y.z is the machine itself there.
final class RedisMovesIT {

    private static final String NAME = "redis.parley.test";
    private static final String OLD = "127.0.0.2";
    private static final String NEW = "127.0.0.1";

    @TempDir Path directory;

    @Test
    void redisThatMoves_isFoundAtItsNewAddress_thoughTheOldOneSwallowsConnections()
            throws IOException {
        Path hosts = directory.resolve("hosts");
        Files.writeString(hosts, OLD + " " + NAME + "\n");
        try (var redis = RedisServer.start();
                var old = new OldAddress(redis.port());
                var pod =
                        ParleyProcess.builder()
                                .redis("redis://" + NAME + ":" + redis.port())
                                .quickToDetectFaults()
                                .jvmOptions("-Xmx192m", "-Djdk.net.hosts.file=" + hosts)
                                .start()
                                .awaitReady()) {
            old.swallow();
            pod.awaitReadiness(503);
            pod.awaitLog("timed out after 2000 ms: " + NAME + "/" + OLD);

            Files.writeString(hosts, NEW + " " + NAME + "\n");

            pod.awaitReady();
            assertThat(redis.command("PUBSUB", "NUMSUB", "chat").items().get(1).number()).isOne();
        }
    }

    /** A relay to Redis at the old address, until it accepts no connection any more. */
    private static final class OldAddress implements Closeable {

        private final int port;
        private final ServerSocket listener;
        private final Queue<Socket> sockets = new ConcurrentLinkedQueue<>();
        private volatile boolean swallowing;

        OldAddress(int port) throws IOException {
            this.port = port;
            listener = new ServerSocket(port, 1, InetAddress.getByName(OLD));
            daemon(this::accept);
        }

        /**
         * Ends all connections. From then on the kernel drops attempts to connect, since nothing
         * takes the connections that wait to be accepted.
         */
        void swallow() {
            swallowing = true;
            Timeouts.await("attempts to be dropped").until(this::isDropped);
            sockets.forEach(Sockets::reset);
        }

        private boolean isDropped() throws IOException {
            Socket waiting = new Socket();
            try {
                waiting.connect(new InetSocketAddress(OLD, port), 500);
                waitingOnes.add(waiting);
                return false;
            } catch (SocketTimeoutException e) {
                waiting.close();
                return true;
            }
        }

        private final Queue<Socket> waitingOnes = new ConcurrentLinkedQueue<>();

        @SuppressWarnings(
                "AddressSelection") // The name is one of the test's own, with one address.
        private void accept() {
            try {
                while (!swallowing) {
                    Socket client = listener.accept();
                    Socket server = new Socket(NEW, port);
                    sockets.add(client);
                    sockets.add(server);
                    daemon(() -> pump(client, server));
                    daemon(() -> pump(server, client));
                }
            } catch (IOException e) {
                // The relay is closed.
            }
        }

        private static void pump(Socket from, Socket to) {
            try {
                from.getInputStream().transferTo(to.getOutputStream());
            } catch (IOException e) {
                // The test ended the connection.
            } finally {
                Sockets.close(from);
                Sockets.close(to);
            }
        }

        private static void daemon(Runnable work) {
            Thread thread = new Thread(work, "old-address");
            thread.setDaemon(true);
            thread.start();
        }

        @Override
        public void close() {
            try {
                listener.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            sockets.forEach(Sockets::close);
            waitingOnes.forEach(Sockets::close);
        }
    }
}
