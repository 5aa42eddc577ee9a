package dev.parley.testsupport;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/**
 * A TLS server in front of a server that speaks none, with a certificate of its own that nothing
 * trusts by itself.
 */
public final class TlsProxy implements Closeable {

    private static final String PASSWORD = "changeit";

    private final ServerSocket listener;
    private final Path certificate;
    private final int target;
    private final AtomicInteger handshakes = new AtomicInteger();
    private final ConcurrentLinkedQueue<Socket> sockets = new ConcurrentLinkedQueue<>();

    private TlsProxy(ServerSocket listener, Path certificate, int target) {
        this.listener = listener;
        this.certificate = certificate;
        this.target = target;
    }

    /**
     * Starts a proxy.
     *
     * @param port of the plain server, on this machine
     * @param directory for the keys
     * @param name the host that the certificate is for
     */
    public static TlsProxy to(int port, Path directory, String name) {
        try {
            KeyStore keys = newKeys(directory.resolve("keys.p12"), name);
            var proxy = new TlsProxy(listen(keys), writePem(keys, directory), port);
            daemon("tls-proxy", proxy::acceptAll);
            return proxy;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The port of the TLS server, on the loopback address. */
    public int port() {
        return listener.getLocalPort();
    }

    /** A PEM file with the certificate, for a client that is to trust it. */
    public Path certificate() {
        return certificate;
    }

    /** How many clients have completed a handshake. */
    public int handshakes() {
        return handshakes.get();
    }

    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        sockets.forEach(Sockets::close);
    }

    private static KeyStore newKeys(Path file, String name)
            throws IOException, GeneralSecurityException {
        List<String> command =
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                        "-genkeypair",
                        "-keyalg",
                        "EC",
                        "-alias",
                        "server",
                        "-dname",
                        "CN=" + name,
                        "-ext",
                        "san=dns:" + name,
                        "-storepass",
                        PASSWORD,
                        "-keystore",
                        file.toString());
        try (OwnedProcess keytool = OwnedProcess.start(new ProcessBuilder(command))) {
            if (keytool.awaitExit() != 0) {
                throw new IllegalStateException("keytool: " + keytool.log());
            }
        }
        return KeyStore.getInstance(file.toFile(), PASSWORD.toCharArray());
    }

    private static Path writePem(KeyStore keys, Path directory)
            throws IOException, GeneralSecurityException {
        String base64 =
                Base64.getMimeEncoder(64, new byte[] {'\n'})
                        .encodeToString(keys.getCertificate("server").getEncoded());
        return Files.writeString(
                directory.resolve("ca.pem"),
                "-----BEGIN CERTIFICATE-----\n" + base64 + "\n-----END CERTIFICATE-----\n");
    }

    private static ServerSocket listen(KeyStore keys) throws IOException, GeneralSecurityException {
        var managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, PASSWORD.toCharArray());
        var context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        return context.getServerSocketFactory()
                .createServerSocket(0, 50, InetAddress.getLoopbackAddress());
    }

    private void acceptAll() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                daemon("tls-proxy-client", () -> serve((SSLSocket) client));
            } catch (IOException e) {
                // Closed.
            }
        }
    }

    private void serve(SSLSocket client) {
        Socket server = new Socket();
        sockets.add(client);
        sockets.add(server);
        try {
            client.startHandshake();
            handshakes.incrementAndGet();
            server.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), target));
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
            daemon("tls-proxy-back", () -> pump(server, client));
            pump(client, server);
        } catch (IOException e) {
            // The client does not trust the certificate, or one side has gone.
            Sockets.close(client);
            Sockets.close(server);
        }
    }

    private static void pump(Socket from, Socket to) {
        try {
            InputStream in = from.getInputStream();
            byte[] buffer = new byte[8192];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                to.getOutputStream().write(buffer, 0, n);
            }
        } catch (IOException e) {
            // One side has gone; so does the other.
        }
        Sockets.close(from);
        Sockets.close(to);
    }

    private static void daemon(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }
}
