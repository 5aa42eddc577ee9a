package dev.parley.testsupport;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;

/**
 * A caller of Parley: publishes in every form there is, gets pages, and sends nonsense as bytes.
 */
public final class Http {

    /** What came back. */
    public record Answer(int status, HttpHeaders headers, String body) {

        /** The first value of a header, or the empty string. */
        public String header(String name) {
            return headers.firstValue(name).orElse("");
        }
    }

    private static final String FORM = "application/x-www-form-urlencoded";

    private final URI server;
    private final HttpClient client;
    private final Map<String, String> headers;

    /** A caller of the server at this address; its path does not matter. */
    public Http(URI server) {
        this(server, newClient(), Map.of());
    }

    private Http(URI server, HttpClient client, Map<String, String> headers) {
        this.server = server;
        this.client = client;
        this.headers = headers;
    }

    private static HttpClient newClient() {
        return HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(Timeouts.LIMIT)
                .build();
    }

    /** The same caller, who sends this header with every request. */
    public Http with(String header, String value) {
        Map<String, String> all = new LinkedHashMap<>(headers);
        all.put(header, value);
        return new Http(server, client, all);
    }

    /**
     * Publishes a text by form body.
     *
     * @param fields further fields, name and value in turn, such as {@code "room", "news"}
     */
    public Answer sendForm(String text, String... fields) {
        return post("/send", FORM, encoded("msg", text, fields));
    }

    /** Publishes a text by query parameter, without a body. */
    public Answer sendQuery(String text, String... fields) {
        return exchange(
                request("/send?" + encoded("msg", text, fields)).POST(BodyPublishers.noBody()));
    }

    /** Publishes by this JSON, which the caller writes. */
    public Answer sendJson(String json) {
        return post("/send", "application/json", json);
    }

    /** Publishes a text as a plain-text body; the fields go into the query. */
    public Answer sendText(String text, String... fields) {
        String query = fields.length == 0 ? "" : "?" + encoded(fields);
        return post("/send" + query, "text/plain;charset=utf-8", text);
    }

    public Answer post(String pathAndQuery, String contentType, String body) {
        return exchange(
                request(pathAndQuery)
                        .header("Content-Type", contentType)
                        .POST(BodyPublishers.ofString(body)));
    }

    public Answer get(String pathAndQuery) {
        return exchange(request(pathAndQuery));
    }

    /** Any other method, without a body. */
    public Answer call(String method, String pathAndQuery) {
        return exchange(request(pathAndQuery).method(method, BodyPublishers.noBody()));
    }

    private HttpRequest.Builder request(String pathAndQuery) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(server.resolve(pathAndQuery)).timeout(Timeouts.LIMIT);
        headers.forEach(request::setHeader);
        return request;
    }

    private Answer exchange(HttpRequest.Builder request) {
        try {
            HttpResponse<String> response =
                    client.send(request.build(), BodyHandlers.ofString(StandardCharsets.UTF_8));
            return new Answer(response.statusCode(), response.headers(), response.body());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** Fields as a query or form body has them: name and value in turn. */
    private static String encoded(String... fields) {
        StringJoiner form = new StringJoiner("&");
        for (int i = 0; i < fields.length; i += 2) {
            form.add(encode(fields[i]) + "=" + encode(fields[i + 1]));
        }
        return form.toString();
    }

    private static String encoded(String name, String value, String[] more) {
        String first = encoded(name, value);
        return more.length == 0 ? first : first + "&" + encoded(more);
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    /**
     * Sends these bytes on a connection of their own and returns what comes back, head and all: up
     * to the end of the connection if the request has {@code Connection: close}, else one answer.
     */
    public String raw(String request) {
        return raw(server, request.getBytes(StandardCharsets.UTF_8));
    }

    /** The same to another server, with bytes that need not be text. */
    public String raw(URI uri, byte[] request) {
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        try (Socket socket = new Socket(uri.getHost(), uri.getPort())) {
            socket.setSoTimeout(Timeouts.millis());
            write(socket.getOutputStream(), request);
            readAnswer(new Recording(socket.getInputStream(), answer), asksToClose(request));
            return text(answer);
        } catch (IOException e) {
            throw new UncheckedIOException("so far only: " + text(answer), e);
        }
    }

    private static void readAnswer(InputStream in, boolean toTheEnd) throws IOException {
        try {
            HttpAnswer.read(in).body().readAllBytes();
            if (toTheEnd) {
                in.readAllBytes();
            }
        } catch (SocketTimeoutException e) {
            throw e;
        } catch (IOException cutOff) {
            // What came before it is the answer.
        }
    }

    private static void write(OutputStream out, byte[] request) {
        try {
            out.write(request);
        } catch (IOException closedEarly) {
            // A server may answer and close before it has read all; the answer is what counts.
        }
    }

    private static boolean asksToClose(byte[] request) {
        return new String(request, StandardCharsets.ISO_8859_1)
                .toLowerCase(Locale.ROOT)
                .contains("\r\nconnection: close\r\n");
    }

    private static String text(ByteArrayOutputStream bytes) {
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /** Passes bytes on one read at a time and remembers them. */
    private static final class Recording extends InputStream {

        private final InputStream in;
        private final ByteArrayOutputStream copy;

        Recording(InputStream in, ByteArrayOutputStream copy) {
            this.in = in;
            this.copy = copy;
        }

        @Override
        public int read() throws IOException {
            int b = in.read();
            if (b >= 0) {
                copy.write(b);
            }
            return b;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            int count = in.read(buffer, offset, length);
            if (count > 0) {
                copy.write(buffer, offset, count);
            }
            return count;
        }
    }
}
