package dev.parley.access;

/** Why something is denied: one word, the same in metrics and in the audit log. */
sealed interface DenialReason permits Denial, TokenRefused.Reason {

    /** Returns the word. */
    String label();
}
