package dev.parley.message;

import org.jspecify.annotations.Nullable;

/**
 * The name of a room: the unit of ordering and of history.
 *
 * @param name one ASCII letter or digit, then up to 63 more, or dots, underscores or hyphens
 */
public record Room(String name) {

    /** Longest name, in characters. */
    public static final int MAX_LENGTH = 64;

    /** The characters of a name beside letters and digits. None is the first one. */
    private static final String MARKS = "._-";

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

    /**
     * Tells whether a text has the form of a room's name. A loop and not a regular expression: this
     * runs for each message received.
     */
    public static boolean isName(String text) {
        if (text.isEmpty() || text.length() > MAX_LENGTH || MARKS.indexOf(text.charAt(0)) >= 0) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            if (!isNameCharacter(text.charAt(i))) {
                return false;
            }
        }
        return true;
    }

    private static boolean isNameCharacter(char c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || MARKS.indexOf(c) >= 0;
    }

    // Written out, since a native executable interprets what the compiler generates for a record.
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Room room && name.equals(room.name);
    }

    @Override
    public int hashCode() {
        return name.hashCode();
    }

    @Override
    public String toString() {
        return name;
    }
}
