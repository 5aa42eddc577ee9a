package dev.parley.testsupport;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Interprets an event stream as WHATWG HTML §9.2.6 defines it. It is fed with bytes as they arrive.
 *
 * <p>Bytes are split into lines first, and each line is decoded as a whole. CR and LF never occur
 * inside a UTF-8 sequence, so a character that arrives in two reads is complete when its line is.
 * One parser serves one connection; an unfinished block at the end of the connection is dropped.
 */
public final class EventStreamParser {

    /** Receives the content of the stream, in its order. */
    public interface Sink {

        /** A dispatched event; {@code id} is the last event id known at its end. */
        void event(String id, String type, String data);

        /** A comment line, without its colon and one leading space. */
        default void comment(String text) {}

        /** The reconnection time that the server asks for. */
        default void retry(long millis) {}

        /** A block has ended; from now on this is the id to resume from. */
        default void lastEventId(String id) {}
    }

    private static final String BOM = "\uFEFF";

    private final Sink sink;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final StringBuilder data = new StringBuilder();
    private String type = "";
    private String id;
    private boolean firstLine = true;
    private boolean afterCarriageReturn;

    /**
     * Creates a parser for a new connection.
     *
     * @param lastEventId the id known from earlier connections, or the empty string. Per the HTML
     *     standard each stream starts with an empty id, so that a block without an id would reset
     *     the position. Browsers keep the id of the earlier connection, and so does this parser.
     */
    public EventStreamParser(String lastEventId, Sink sink) {
        this.id = lastEventId;
        this.sink = sink;
    }

    /** Interprets the next bytes of the stream. */
    public void feed(byte[] bytes) {
        feed(bytes, 0, bytes.length);
    }

    /** Interprets the next bytes of the stream, which are a part of this array. */
    public void feed(byte[] bytes, int offset, int length) {
        for (int i = offset; i < offset + length; i++) {
            feed(bytes[i]);
        }
    }

    private void feed(byte next) {
        boolean secondHalfOfCrLf = next == '\n' && afterCarriageReturn;
        afterCarriageReturn = next == '\r';
        if (secondHalfOfCrLf) {
            return;
        }
        if (next == '\r' || next == '\n') {
            endLine();
        } else {
            line.write(next);
        }
    }

    private void endLine() {
        String text = line.toString(StandardCharsets.UTF_8);
        line.reset();
        if (firstLine && text.startsWith(BOM)) {
            text = text.substring(1);
        }
        firstLine = false;
        interpret(text);
    }

    private void interpret(String text) {
        int colon = text.indexOf(':');
        if (text.isEmpty()) {
            dispatch();
        } else if (colon == 0) {
            sink.comment(valueAfter(colon, text));
        } else if (colon > 0) {
            field(text.substring(0, colon), valueAfter(colon, text));
        } else {
            field(text, "");
        }
    }

    private static String valueAfter(int colon, String text) {
        String value = text.substring(colon + 1);
        return value.startsWith(" ") ? value.substring(1) : value;
    }

    private void field(String name, String value) {
        switch (name) {
            case "event" -> type = value;
            case "data" -> data.append(value).append('\n');
            case "id" -> id = value.indexOf('\0') < 0 ? value : id;
            case "retry" -> retry(value);
            default -> {
                // Unknown fields are ignored.
            }
        }
    }

    private void retry(String value) {
        if (!value.isEmpty() && value.chars().allMatch(c -> c >= '0' && c <= '9')) {
            boolean beyondLong = value.length() > 18;
            sink.retry(beyondLong ? Long.MAX_VALUE : Long.parseLong(value));
        }
    }

    private void dispatch() {
        sink.lastEventId(id);
        if (!data.isEmpty()) {
            data.setLength(data.length() - 1);
            sink.event(id, type.isEmpty() ? "message" : type, data.toString());
        }
        data.setLength(0);
        type = "";
    }
}
