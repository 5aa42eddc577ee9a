package dev.parley.guarantees;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.parley.testsupport.Http;
import dev.parley.testsupport.Metrics;
import dev.parley.testsupport.ParleyProcess;
import dev.parley.testsupport.Ports;
import dev.parley.testsupport.RawConnection;
import dev.parley.testsupport.SelfSignedCertificate;
import dev.parley.testsupport.Timeouts;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A stranger begins TLS handshakes and does not complete them: each has a deadline, one address has
 * a number of them under way, and other addresses are served meanwhile.
 */
class TlsHandshakeIT {

    private static final InetAddress STRANGER = AttackedPod.STRANGER;
    private static final InetAddress OTHER = RawConnection.address("127.0.0.67");
    private static final InetAddress LEAVING = RawConnection.address("127.0.0.68");
    private static final int MAX = 20;

    @TempDir private static Path directory;

    private static ParleyProcess pod;
    private static Metrics metrics;
    private static SSLContext client;
    private static int port;

    private final List<RawConnection> attack = new ArrayList<>();

    @BeforeAll
    static void startPod() throws Exception {
        SelfSignedCertificate certificate =
                SelfSignedCertificate.create(directory.resolve("pod.p12"));
        client = certificate.trusting();
        port = Ports.free();
        pod =
                ParleyProcess.builder()
                        .fixedPort()
                        .https(port, directory.resolve("pod.p12"))
                        .config("parley.limits.head-timeout", "3S")
                        .config("parley.limits.handshakes-per-address", Integer.toString(MAX))
                        .start()
                        .awaitReady();
        metrics = new Metrics(pod);
    }

    /** Its output is complete when it has ended: no client is a defect of the pod. */
    @AfterAll
    static void stopPod() {
        try (ParleyProcess ended = pod) {
            ended.terminate();
            ended.awaitExit();
            assertThat(ended.log().lines().filter(line -> !line.contains("ProxyAdvice")))
                    .isNotEmpty()
                    .noneMatch(
                            line ->
                                    Stream.of(
                                                    " WARN ",
                                                    " ERROR ",
                                                    "Exception",
                                                    "\tat ",
                                                    "OutOfMemory")
                                            .anyMatch(line::contains));
        }
    }

    @AfterEach
    void closeAll() {
        attack.forEach(RawConnection::close);
        Timeouts.await("the stranger's connections are gone")
                .untilAsserted(() -> assertThat(metrics.value("parley_sockets")).isLessThan(5));
        metrics.awaitValue("parley_held_bytes{kind=\"heads\"}", 0);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 100, Integer.MAX_VALUE})
    void handshakeThatStops_isCutAfterItsTime(int length) throws Exception {
        double before = met("head-timeout");
        byte[] hello = clientHello();

        RawConnection connection =
                RawConnection.open(
                        port, OTHER, Arrays.copyOf(hello, Math.min(length, hello.length)));

        connection.readToEnd();
        assertThat(met("head-timeout")).isEqualTo(before + 1);
    }

    @Test
    void headThatStopsAfterTheHandshake_isCutAfterItsTime() throws Exception {
        double before = met("head-timeout");

        try (SSLSocket socket = connect(OTHER)) {
            socket.getOutputStream().write("GET /cl".getBytes(StandardCharsets.US_ASCII));

            assertThat(readToEnd(socket)).isEmpty();
        }
        assertThat(met("head-timeout")).isEqualTo(before + 1);
    }

    @Test
    void handshakesOfOneAddress_areBounded_andOthersAreServed() throws Exception {
        double before = met("handshakes");
        byte[] hello = clientHello();

        for (int i = 0; i < MAX + 30; i++) {
            attack.add(RawConnection.open(port, STRANGER, hello));
        }

        Timeouts.await("handshakes")
                .untilAsserted(() -> assertThat(met("handshakes")).isGreaterThan(before));
        assertThat(answer(OTHER)).startsWith("HTTP/1.1 200 ");
        assertThat(new Http(pod.uri()).sendForm("served").status()).isEqualTo(200);
        // Their time is over: the address has its places back.
        attack.forEach(RawConnection::readToEnd);
        assertThat(answer(STRANGER)).startsWith("HTTP/1.1 200 ");
    }

    /** Without this a client could make the pod compute as many as it likes. */
    @Test
    void handshakeThatTheClientBreaksOff_countsUntilItsTimeIsOver() throws Exception {
        double before = met("handshakes");
        byte[] hello = clientHello();

        Timeouts.await("handshakes")
                .until(
                        () -> {
                            for (int i = 0; i < MAX + 10; i++) {
                                breakOff(hello);
                            }
                            return met("handshakes") > before;
                        });
        Timeouts.await("the places are free")
                .ignoreExceptions()
                .until(() -> answer(STRANGER).startsWith("HTTP/1.1 200 "));
    }

    /** The end of the test class checks that nothing of this is in the log. */
    @ParameterizedTest
    @EnumSource(End.class)
    void clientThatLeavesWithinAHandshake_isNotADefect(End end) throws Exception {
        byte[] hello = clientHello();

        for (int length : new int[] {0, 1, 100, hello.length}) {
            try (var socket = new Socket(InetAddress.getLoopbackAddress(), port, LEAVING, 0)) {
                socket.setSoTimeout(Timeouts.millis());
                socket.getOutputStream().write(hello, 0, length);
                if (length == hello.length) {
                    assertThat(socket.getInputStream().read()).isNotNegative();
                }
                end.of(socket);
            }
        }
        assertThat(answer(OTHER)).startsWith("HTTP/1.1 200 ");
    }

    @ParameterizedTest
    @EnumSource(End.class)
    void clientThatLeavesAfterItsHandshake_isNotADefect(End end) throws Exception {
        for (String version : List.of("TLSv1.2", "TLSv1.3")) {
            for (String request :
                    List.of(
                            "",
                            "GET /cl",
                            "GET /clock HTTP/1.1\r\nHost: x\r\n\r\n",
                            "GET /events HTTP/1.1\r\nHost: x\r\n\r\n",
                            "GET /rooms/a/messages HTTP/1.1\r\nHost: x\r\n\r\n",
                            "POST /send HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nmsg=")) {
                try (var plain = new Socket(InetAddress.getLoopbackAddress(), port, LEAVING, 0);
                        SSLSocket socket = encrypted(plain, version)) {
                    socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
                    end.of(plain);
                }
            }
        }
        for (String preface : List.of("PRI", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")) {
            try (var plain = new Socket(InetAddress.getLoopbackAddress(), port, LEAVING, 0);
                    SSLSocket socket = encrypted(plain, "TLSv1.3", "h2")) {
                assertThat(socket.getApplicationProtocol()).isEqualTo("h2");
                socket.getOutputStream().write(preface.getBytes(StandardCharsets.US_ASCII));
                end.of(plain);
            }
        }
        assertThat(answer(OTHER)).startsWith("HTTP/1.1 200 ");
    }

    @Test
    void clientThatRefusesTheCertificate_orTheVersion_isNotADefect() throws Exception {
        var plain = new Socket(InetAddress.getLoopbackAddress(), port, LEAVING, 0);
        plain.setSoTimeout(Timeouts.millis());
        try (var socket =
                (SSLSocket)
                        SSLContext.getDefault()
                                .getSocketFactory()
                                .createSocket(plain, "localhost", port, true)) {
            assertThatThrownBy(socket::startHandshake).isInstanceOf(SSLException.class);
        }
        // A version that no server has had for long (SSL 2, RFC 6101), and no TLS at all.
        for (byte[] first :
                List.of(
                        new byte[] {(byte) 0x80, 0x2e, 1, 0, 2},
                        "GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII))) {
            RawConnection.open(port, LEAVING, first).readToEnd();
        }
        assertThat(answer(OTHER)).startsWith("HTTP/1.1 200 ");
    }

    /** How a client ends its connection. */
    enum End {
        CLOSE,
        RESET,
        /** Bytes that are not of TLS, or cannot be decrypted, and then the end. */
        GARBAGE;

        void of(Socket socket) throws IOException {
            if (this == GARBAGE) {
                socket.getOutputStream().write(new byte[] {23, 3, 3, 0, 20});
                socket.getOutputStream().write(new byte[20]);
                readToEnd(socket);
            }
            if (this == RESET) {
                socket.setSoLinger(true, 0);
            }
            socket.close();
        }
    }

    @Test
    void handshakesThatSucceed_areNotBounded() throws Exception {
        double before = met("handshakes");

        for (int i = 0; i < 2 * MAX; i++) {
            assertThat(answer(OTHER)).startsWith("HTTP/1.1 200 ");
        }

        assertThat(met("handshakes")).isEqualTo(before);
    }

    /** Renegotiation with TLS 1.2, and a change of keys with TLS 1.3. */
    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void handshakesAfterTheFirst_endTheConnectionAboveANumber(String version) throws Exception {
        double before = met("tls-records");
        byte[] request =
                "GET /rooms/a/messages HTTP/1.1\r\nHost: x\r\n\r\n"
                        .getBytes(StandardCharsets.US_ASCII);
        byte[] answer = new byte[8_192];

        try (SSLSocket socket = connect(OTHER, version)) {
            assertThatThrownBy(
                            () -> {
                                for (int i = 0; i < 500; i++) {
                                    socket.startHandshake();
                                    // The client handshakes while it reads.
                                    socket.getOutputStream().write(request);
                                    if (socket.getInputStream().read(answer) < 0) {
                                        throw new EOFException();
                                    }
                                }
                            })
                    .isInstanceOf(IOException.class);
        }

        Timeouts.await("tls-records")
                .untilAsserted(() -> assertThat(met("tls-records")).isEqualTo(before + 1));
        assertThat(answer(OTHER)).startsWith("HTTP/1.1 200 ");
    }

    /** Also of a client that sends each of them at once, which the pod reads together. */
    @Test
    void recordsOfABody_areNotBounded() throws Exception {
        byte[] text = "t".repeat(2_000).getBytes(StandardCharsets.US_ASCII);

        try (SSLSocket socket = connect(OTHER)) {
            OutputStream out = socket.getOutputStream();
            String head =
                    "POST /send HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: "
                            + text.length
                            + "\r\nConnection: close\r\n\r\n";
            out.write(head.getBytes(StandardCharsets.US_ASCII));
            for (byte one : text) {
                out.write(one);
            }

            assertThat(readToEnd(socket)).startsWith("HTTP/1.1 200 ");
        }
    }

    /** As they are in memory, which their encrypted bytes do not show. */
    @Test
    void linesOfHeadersWithoutEnd_count() throws Exception {
        try (SSLSocket socket = connect(OTHER)) {
            String trailers =
                    "POST /send HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
                            + "a:\r\n".repeat(500);
            socket.getOutputStream().write(trailers.getBytes(StandardCharsets.US_ASCII));

            Timeouts.await("the trailers").until(() -> heldHeads() > 60_000);
        }
    }

    /** TLS keeps a part of a record until the rest comes, also for as long as a stream lasts. */
    @Test
    void partOfARecord_countsWhileAStreamLasts() throws Exception {
        try (var plain = new Socket(InetAddress.getLoopbackAddress(), port, OTHER, 0);
                SSLSocket socket = encrypted(plain, "TLSv1.3")) {
            socket.getOutputStream()
                    .write(
                            "GET /events HTTP/1.1\r\nHost: x\r\n\r\n"
                                    .getBytes(StandardCharsets.US_ASCII));
            assertThat(socket.getInputStream().read()).isEqualTo('H');

            // The header of a record of 16 KB, and 10,000 bytes of it (RFC 8446 §5.1).
            plain.getOutputStream().write(new byte[] {23, 3, 3, 0x40, 0});
            plain.getOutputStream().write(new byte[10_000]);

            Timeouts.await("the record").until(() -> heldHeads() == 10_005);
        }
    }

    private static double heldHeads() {
        return metrics.value("parley_held_bytes{kind=\"heads\"}");
    }

    private static double met(String bound) {
        return AttackedPod.met(metrics, bound);
    }

    private static void breakOff(byte[] hello) {
        RawConnection connection = RawConnection.open(port, STRANGER, hello);
        // The first byte of the server's answer, or the end.
        connection.readUntil(text -> !text.isEmpty());
        connection.reset();
    }

    private static String answer(InetAddress from) throws IOException {
        try (SSLSocket socket = connect(from)) {
            socket.getOutputStream()
                    .write(
                            "GET /rooms/a/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                                    .getBytes(StandardCharsets.US_ASCII));
            return readToEnd(socket);
        }
    }

    private static SSLSocket connect(InetAddress from) throws IOException {
        return connect(from, "TLSv1.3");
    }

    private static SSLSocket connect(InetAddress from, String version) throws IOException {
        return encrypted(new Socket(InetAddress.getLoopbackAddress(), port, from, 0), version);
    }

    private static SSLSocket encrypted(Socket plain, String version, String... protocols)
            throws IOException {
        plain.setSoTimeout(Timeouts.millis());
        var socket =
                (SSLSocket) client.getSocketFactory().createSocket(plain, "localhost", port, true);
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setProtocols(new String[] {version});
        parameters.setApplicationProtocols(protocols);
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        return socket;
    }

    /** Reads until the server ends the connection, with or without saying so in TLS. */
    private static String readToEnd(Socket socket) {
        var received = new StringBuilder();
        byte[] buffer = new byte[8_192];
        try {
            for (int count = socket.getInputStream().read(buffer);
                    count >= 0;
                    count = socket.getInputStream().read(buffer)) {
                received.append(new String(buffer, 0, count, StandardCharsets.UTF_8));
            }
        } catch (SocketTimeoutException silent) {
            throw new AssertionError("connection is silent", silent);
        } catch (IOException reset) {
            // What has come so far counts.
        }
        return received.toString();
    }

    /** The first bytes that a client sends (RFC 8446 §4.1.2). */
    private static byte[] clientHello() throws IOException, GeneralSecurityException {
        SSLEngine engine = client.createSSLEngine("localhost", port);
        engine.setUseClientMode(true);
        engine.beginHandshake();
        ByteBuffer hello = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.wrap(ByteBuffer.allocate(0), hello);
        return Arrays.copyOf(hello.array(), hello.position());
    }
}
