package dev.parley.guarantees;

import dev.parley.testsupport.Timeouts;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What comes back for the bytes of a request, up to the end or to a stream's first id. */
record RawAnswer(String text) {

    private static final Pattern CONTINUE = Pattern.compile("\\AHTTP/1.1 100 [^\r]*\r\n\r\n");
    private static final Pattern STATUS = Pattern.compile("\\A\\S+ ([0-9]{3}) ");

    /**
     * Sends a request and reads the answer.
     *
     * @param end whether to say that no more will come, as a client that gives up does
     */
    static RawAnswer to(byte[] request, int port, boolean end) {
        var received = new ByteArrayOutputStream();
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(Timeouts.millis());
            write(socket, request, end);
            read(socket.getInputStream(), received);
        } catch (SocketTimeoutException e) {
            throw new AssertionError("no end of the answer; so far: " + text(received), e);
        } catch (IOException e) {
            // The server has closed the connection; what came before is the answer.
        }
        return new RawAnswer(CONTINUE.matcher(text(received)).replaceFirst(""));
    }

    /**
     * Sends requests and breaks the connection (RST).
     *
     * @param begun whether not before the first begins to be answered
     */
    static void waived(byte[] requests, int port, boolean begun) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(Timeouts.millis());
            socket.setSoLinger(true, 0);
            write(socket, requests, false);
            if (begun) {
                socket.getInputStream().read();
            }
        } catch (SocketTimeoutException e) {
            throw new AssertionError("no answer", e);
        } catch (IOException e) {
            // It broke sooner.
        }
    }

    private static void write(Socket socket, byte[] request, boolean end) {
        try {
            socket.getOutputStream().write(request);
            if (end) {
                socket.shutdownOutput();
            }
        } catch (IOException e) {
            // The server may answer, and close, before it has read all.
        }
    }

    private static void read(InputStream in, ByteArrayOutputStream received) throws IOException {
        byte[] buffer = new byte[8_192];
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            received.write(buffer, 0, n);
            if (isOpenStream(text(received))) {
                return;
            }
        }
    }

    private static boolean isOpenStream(String text) {
        return text.contains("text/event-stream") && text.contains("\nid: ");
    }

    boolean isEmpty() {
        return text.isEmpty();
    }

    int status() {
        Matcher status = STATUS.matcher(text);
        return status.find() ? Integer.parseInt(status.group(1)) : 0;
    }

    /** The value of a header, or the empty string. */
    String header(String name) {
        String start = name.toLowerCase(Locale.ROOT) + ":";
        Optional<String> line =
                text.substring(0, bodyAt())
                        .lines()
                        .filter(l -> l.toLowerCase(Locale.ROOT).startsWith(start))
                        .findFirst();
        return line.map(l -> l.substring(start.length()).strip()).orElse("");
    }

    String body() {
        return text.substring(bodyAt());
    }

    private int bodyAt() {
        int end = text.indexOf("\r\n\r\n");
        return end < 0 ? text.length() : end + 4;
    }

    private static String text(ByteArrayOutputStream bytes) {
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
