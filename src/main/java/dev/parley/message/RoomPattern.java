package dev.parley.message;

import java.util.Comparator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Names the rooms that a setting or a right is for. It is written as a room name in which {@code *}
 * stands for anything at the end ({@code team.*}, {@code *}), or for one whole part between dots
 * ({@code team.*.private}); without a {@code *} it is the name of one room.
 *
 * <p>The natural order is from the most specific pattern to the most general one, so that the first
 * pattern that matches a room is the one that says most about its name:
 *
 * <ol>
 *   <li>names of rooms, before all patterns with a {@code *};
 *   <li>then the longer beginning, up to the first {@code *}: {@code team.red.*} before {@code
 *       team.*};
 *   <li>then the pattern that has more characters besides {@code *}: {@code team.*.private} before
 *       {@code team.*};
 *   <li>then alphabetically.
 * </ol>
 */
public final class RoomPattern implements Comparable<RoomPattern> {

    private static final String ANY = "*";

    private static final Pattern CHARACTERS = Pattern.compile("[A-Za-z0-9*][A-Za-z0-9._*-]*");

    private static final Comparator<RoomPattern> SPECIFIC_FIRST =
            Comparator.comparing((RoomPattern pattern) -> pattern.text.contains(ANY))
                    .thenComparing(RoomPattern::beginning, Comparator.reverseOrder())
                    .thenComparing(RoomPattern::literals, Comparator.reverseOrder())
                    .thenComparing(pattern -> pattern.text);

    private final String text;
    private final Pattern regex;

    /**
     * Reads a pattern.
     *
     * @throws IllegalArgumentException if the text does not have one of the forms above; its
     *     message is a sentence that says which there are
     */
    public RoomPattern(String text) {
        if (!isValid(text)) {
            throw new IllegalArgumentException(
                    text
                            + " is not a pattern of rooms; write a room name (kitchen), the beginning"
                            + " of names and * (team.*), or a * between two dots for one part of a"
                            + " name (team.*.private)");
        }
        this.text = text;
        this.regex = regex(text);
    }

    /** Tells whether a room's name may be long enough for the pattern. */
    public boolean canMatchARoom() {
        return beforeLastAny(text).length() <= Room.MAX_LENGTH;
    }

    /** Tells whether the pattern is for this room. */
    public boolean matches(Room room) {
        return regex.matcher(room.name()).matches();
    }

    @Override
    public int compareTo(RoomPattern other) {
        return SPECIFIC_FIRST.compare(this, other);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RoomPattern pattern && pattern.text.equals(text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    /** Returns the pattern as it was written. */
    @Override
    public String toString() {
        return text;
    }

    private static boolean isValid(String text) {
        if (!CHARACTERS.matcher(text).matches() || text.endsWith(ANY + ANY)) {
            return false;
        }
        return Stream.of(parts(beforeLastAny(text)))
                .allMatch(part -> part.equals(ANY) || !part.contains(ANY));
    }

    private static Pattern regex(String text) {
        String parts =
                Stream.of(parts(beforeLastAny(text)))
                        .map(part -> part.equals(ANY) ? "[^.]+" : Pattern.quote(part))
                        .collect(Collectors.joining("\\."));
        return Pattern.compile(text.endsWith(ANY) ? parts + ".*" : parts);
    }

    /** Returns a pattern without the {@code *} at its end, which also matches an empty end. */
    private static String beforeLastAny(String text) {
        return text.endsWith(ANY) ? text.substring(0, text.length() - 1) : text;
    }

    private static String[] parts(String text) {
        return text.split("\\.", -1);
    }

    /** Returns the length of what comes before the first {@code *}. */
    private int beginning() {
        int any = text.indexOf(ANY);
        return any < 0 ? text.length() : any;
    }

    /** Returns the number of characters that are not a {@code *}. */
    private int literals() {
        return text.replace(ANY, "").length();
    }
}
