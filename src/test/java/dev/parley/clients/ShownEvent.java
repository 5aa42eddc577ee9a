package dev.parley.clients;

import org.jspecify.annotations.Nullable;

/**
 * An event as a client library passed it to its user.
 *
 * @param type the event type; the constructor takes null or an empty one for {@code message}
 * @param id the id that the library gave with it, or the empty string
 */
record ShownEvent(@Nullable String type, String id, String data) {

    /** Turns a missing type into {@code message}. */
    ShownEvent {
        type = type == null || type.isEmpty() ? "message" : type;
    }

    boolean isMessage() {
        return "message".equals(type);
    }
}
