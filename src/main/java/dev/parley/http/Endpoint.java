package dev.parley.http;

import jakarta.ws.rs.core.MediaType;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The calls, as error answers and metrics name them. */
public enum Endpoint {
    SEND("POST", "/send", MediaType.TEXT_PLAIN + " or " + MediaType.APPLICATION_JSON),
    EVENTS("GET", "/events", MediaType.SERVER_SENT_EVENTS),
    EVENTS_BY_FORM("POST", "/events", MediaType.SERVER_SENT_EVENTS),
    HISTORY("GET", "/rooms/{room}/messages", MediaType.APPLICATION_JSON),
    TICKETS("POST", "/tickets", MediaType.APPLICATION_JSON),
    REVOCATIONS("POST", "/revocations", MediaType.APPLICATION_JSON),
    CLOCK("GET", "/clock", MediaType.SERVER_SENT_EVENTS);

    /** The first call of each path. */
    private static final Map<String, Endpoint> BY_PATH =
            Arrays.stream(values())
                    .collect(
                            Collectors.toUnmodifiableMap(
                                    Endpoint::path, call -> call, (first, other) -> first));

    private final String method;
    private final String path;
    private final String answer;
    private final Pattern form;

    Endpoint(String method, String path, String answer) {
        this.method = method;
        this.path = path;
        this.answer = answer;
        this.form = Pattern.compile(path.replace("{room}", "[^/]+") + "/?");
    }

    /** Finds the first call of a path, which must be normalized (RFC 3986 §6.2.2). */
    public static Optional<Endpoint> at(String path) {
        Endpoint known = BY_PATH.get(path);
        if (known != null) {
            return Optional.of(known);
        }
        return Arrays.stream(values())
                .filter(call -> call.form.matcher(path).matches())
                .findFirst();
    }

    /**
     * Finds the call of a method and a path, which must be normalized; the first call of the path
     * if it has none with this method.
     */
    static Optional<Endpoint> at(String method, String path) {
        return Arrays.stream(values())
                .filter(call -> call.method.equals(method) && call.form.matcher(path).matches())
                .findFirst()
                .or(() -> at(path));
    }

    /** Tells whether a method is that of the call, HEAD included if it is GET. */
    boolean takes(String name) {
        return name.equals(method) || (name.equals("HEAD") && method.equals("GET"));
    }

    /** Lists all calls, such as {@code POST /send, GET /events}. */
    public static String all() {
        return Arrays.stream(values()).map(Endpoint::toString).collect(Collectors.joining(", "));
    }

    /** Lists the calls of the path, such as {@code the calls are GET /events, POST /events}. */
    String callsOfPath() {
        List<String> calls =
                Arrays.stream(values())
                        .filter(call -> call.path.equals(path))
                        .map(Endpoint::toString)
                        .toList();
        return (calls.size() > 1 ? "the calls are " : "the call is ") + String.join(", ", calls);
    }

    /** All methods of the path, as the header {@code Allow} lists them. */
    String allowed() {
        return Arrays.stream(values())
                .filter(call -> call.path.equals(path))
                .map(call -> call.method.equals("GET") ? "GET, HEAD" : call.method)
                .collect(Collectors.joining(", ", "", ", OPTIONS"));
    }

    /** The path, with a template for its variable part (RFC 6570). */
    public String path() {
        return path;
    }

    /** The media types of its answers. */
    public String answer() {
        return answer;
    }

    /** What its body can be, as an error answer names it; empty if it has no body. */
    Optional<String> body() {
        return switch (this) {
            case SEND -> Optional.of("a form, application/json or text/plain");
            case EVENTS_BY_FORM, REVOCATIONS -> Optional.of(MediaType.APPLICATION_FORM_URLENCODED);
            default -> Optional.empty();
        };
    }

    @Override
    public String toString() {
        return method + ' ' + path;
    }
}
