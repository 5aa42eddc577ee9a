package dev.parley.message;

/** The line ends of text: a stream has only one kind, so a message has only one kind too. */
final class Text {

    private Text() {}

    /** The same text with every CRLF and every lone CR as LF (WHATWG HTML §9.2.5, end-of-line). */
    static String withLineFeeds(String text) {
        if (text.indexOf('\r') < 0) {
            return text;
        }
        return text.replace("\r\n", "\n").replace('\r', '\n');
    }
}
