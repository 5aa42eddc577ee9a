package dev.parley.log;

/** What the {@code data} field of a message contains. A client chooses it for its stream. */
public enum Format {
    /** The text only. */
    TEXT,
    /** The whole message, as a JSON object. */
    JSON
}
