package dev.parley.message;

/** Normalizes line ends: a stream cannot tell CR, LF and CRLF apart, so a message has LF only. */
final class Text {

    private Text() {}

    /** Replaces every CRLF and every lone CR by LF (WHATWG HTML §9.2.5, end-of-line). */
    static String withLineFeeds(String text) {
        if (text.indexOf('\r') < 0) {
            return text;
        }
        return text.replace("\r\n", "\n").replace('\r', '\n');
    }
}
