package dev.parley.access;

import java.util.Locale;

/** Why something is denied: one word, the same in metrics and in the audit log. */
sealed interface DenialReason permits Denial, TokenRefused.Reason {

    /** Returns the name of the constant. */
    String name();

    /** Returns the word. */
    default String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
