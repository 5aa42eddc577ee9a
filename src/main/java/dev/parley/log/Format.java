package dev.parley.log;

/** What the data of a message's event holds. Each format of a frame is encoded when first used. */
public enum Format {
    /** The text, and nothing else. */
    TEXT,
    /** The whole message, as a JSON object. */
    JSON
}
