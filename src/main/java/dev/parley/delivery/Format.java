package dev.parley.delivery;

/** What a reader wants in the data of a message's event. */
public enum Format {
    /** The text, and nothing else. */
    TEXT,
    /** The whole message, as a JSON object. */
    JSON
}
