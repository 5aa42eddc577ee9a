package dev.parley.http;

import jakarta.ws.rs.core.MediaType;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The calls there are, to name them to those who get one wrong. */
public enum Endpoint {
    SEND("POST", "/send", MediaType.TEXT_PLAIN + " or " + MediaType.APPLICATION_JSON),
    EVENTS("GET", "/events", MediaType.SERVER_SENT_EVENTS),
    HISTORY("GET", "/rooms/{room}/messages", MediaType.APPLICATION_JSON),
    CLOCK("GET", "/clock", MediaType.SERVER_SENT_EVENTS);

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

    /** The call that a request's path, normalized (RFC 3986 §6.2.2), belongs to. */
    public static Optional<Endpoint> at(String path) {
        return Arrays.stream(values()).filter(call -> call.form.matcher(path).matches()).findAny();
    }

    /** All of them, as one would write them. */
    public static String all() {
        return Arrays.stream(values()).map(Endpoint::toString).collect(Collectors.joining(", "));
    }

    public String method() {
        return method;
    }

    /** With a template for what varies (RFC 6570). */
    public String path() {
        return path;
    }

    /** The media types that it answers with. */
    public String answer() {
        return answer;
    }

    @Override
    public String toString() {
        return method + ' ' + path;
    }
}
