package dev.parley.testsupport;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
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

/** An HTTP client of Parley: publishes in every form, gets pages, and sends raw bytes. */
public final class Http {

    /** A whole answer. */
    public record Answer(int status, HttpHeaders headers, String body) {

        /** The first value of a header, or the empty string. */
        public String header(String name) {
            return headers.firstValue(name).orElse("");
        }

        /** The body, which must be JSON. */
        public JsonNode json() {
            return Json.parse(body);
        }
    }

    private static final String FORM = "application/x-www-form-urlencoded";

    private final URI server;
    private final HttpClient client;
    private final Map<String, String> headers;

    /** A client of the server at this address, whose path is ignored. */
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

    /** A client that also sends this header with every request. */
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

    /** Publishes by a JSON body, which is sent unchanged. */
    public Answer sendJson(String json) {
        return post("/send", "application/json", json);
    }

    /** Publishes a text as a plain-text body; the fields go into the query. */
    public Answer sendText(String text, String... fields) {
        String query = fields.length == 0 ? "" : "?" + encoded(fields);
        return post("/send" + query, "text/plain;charset=utf-8", text);
    }

    /** Sends a body of this content type. */
    public Answer post(String pathAndQuery, String contentType, String body) {
        return post(pathAndQuery, contentType, body.getBytes(StandardCharsets.UTF_8));
    }

    /** Sends a body of this content type. */
    public Answer post(String pathAndQuery, String contentType, byte[] body) {
        return exchange(
                request(pathAndQuery)
                        .header("Content-Type", contentType)
                        .POST(BodyPublishers.ofByteArray(body)));
    }

    /** Gets a page. */
    public Answer get(String pathAndQuery) {
        return exchange(request(pathAndQuery));
    }

    /** Sends a request of any method, without a body. */
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

    /** Encodes fields, given as name and value in turn, for a query or a form body. */
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
     * Sends any text as a request on a new connection, and returns everything that comes back,
     * header included: up to the end of the connection if the request contains {@code Connection:
     * close}, otherwise one answer.
     */
    public String raw(String request) {
        return raw(server, request.getBytes(StandardCharsets.UTF_8));
    }

    /** Sends any bytes to another server on this machine, as {@link #raw(String)} does. */
    public String raw(URI uri, byte[] request) {
        try (var connection = RawConnection.open(uri.getPort(), request)) {
            connection.readAnswer();
            if (asksToClose(request)) {
                connection.readToEnd();
            }
            return connection.text();
        }
    }

    private static boolean asksToClose(byte[] request) {
        return new String(request, StandardCharsets.ISO_8859_1)
                .toLowerCase(Locale.ROOT)
                .contains("\r\nconnection: close\r\n");
    }
}
