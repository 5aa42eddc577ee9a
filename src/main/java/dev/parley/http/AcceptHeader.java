package dev.parley.http;

import jakarta.ws.rs.core.MediaType;
import java.util.List;
import java.util.regex.Pattern;

/** What a caller reads, as its {@code Accept} says. */
public final class AcceptHeader {

    /** A weight that means "not acceptable" (RFC 9110 §12.4.2). */
    private static final Pattern NOTHING = Pattern.compile("0(\\.0*)?");

    private AcceptHeader() {}

    /** Whether it names JSON, and not to say that it does not read that. */
    public static boolean json(List<MediaType> accepted) {
        return accepted.stream().anyMatch(type -> isJson(type) && isWanted(type));
    }

    /** The same with JSON of any kind, such as {@code application/problem+json}. */
    public static boolean anyJson(List<MediaType> accepted) {
        return accepted.stream()
                .anyMatch(type -> (isJson(type) || isJsonOfAKind(type)) && isWanted(type));
    }

    private static boolean isJson(MediaType type) {
        return isApplication(type) && type.getSubtype().equalsIgnoreCase("json");
    }

    private static boolean isJsonOfAKind(MediaType type) {
        return isApplication(type) && type.getSubtype().endsWith("+json");
    }

    private static boolean isApplication(MediaType type) {
        return type.getType().equalsIgnoreCase("application");
    }

    private static boolean isWanted(MediaType type) {
        return !NOTHING.matcher(type.getParameters().getOrDefault("q", "1").strip()).matches();
    }
}
