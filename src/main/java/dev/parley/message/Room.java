package dev.parley.message;

import java.util.regex.Pattern;

/**
 * The name of a room: the unit of ordering and of history.
 *
 * @param name one ASCII letter or digit, then up to 63 more, or dots, underscores or hyphens
 */
public record Room(String name) {

    /** Longest name, in characters. */
    public static final int MAX_LENGTH = 64;

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    /** The room of requests that do not name one. */
    public static final Room LOBBY = new Room("lobby");

    /**
     * @throws InvalidRequest if the name does not have the form above
     */
    public Room {
        if (!isName(name)) {
            throw new InvalidRequest(
                    "bad-room",
                    "bad room: a name is 1 to 64 characters of A-Z a-z 0-9 . _ - and starts with a"
                            + " letter or digit");
        }
    }

    /** Tells whether a text has the form of a room's name. */
    public static boolean isName(String text) {
        return NAME.matcher(text).matches();
    }

    @Override
    public String toString() {
        return name;
    }
}
