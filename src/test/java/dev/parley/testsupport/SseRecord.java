package dev.parley.testsupport;

import dev.parley.testsupport.SseReader.Event;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * All that an {@link SseReader} has been told, over all its connections. Its monitor guards it, and
 * is notified of every change.
 */
final class SseRecord implements EventStreamParser.Sink {

    private static final int SHOWN_EVENTS = 50;

    private final List<Event> events = new ArrayList<>();
    private final List<String> comments = new ArrayList<>();
    private final ByteArrayOutputStream raw = new ByteArrayOutputStream();
    private Map<String, List<String>> headers = Map.of();
    private int status;
    private OptionalLong retry = OptionalLong.empty();
    private String lastEventId;
    private int attempts;
    private int connections;
    private int cleanEnds;
    private String lastEnd = "none";
    private boolean connected;

    SseRecord(String lastEventId) {
        this.lastEventId = lastEventId;
    }

    synchronized List<Event> events() {
        return List.copyOf(events);
    }

    synchronized List<Event> events(String type) {
        return events.stream().filter(event -> event.type().equals(type)).toList();
    }

    synchronized int eventCount() {
        return events.size();
    }

    synchronized boolean hasData(String data) {
        return events.stream().anyMatch(event -> event.data().equals(data));
    }

    synchronized List<String> comments() {
        return List.copyOf(comments);
    }

    synchronized int status() {
        return status;
    }

    synchronized Map<String, List<String>> headers() {
        return headers;
    }

    synchronized OptionalLong retry() {
        return retry;
    }

    synchronized String lastEventId() {
        return lastEventId;
    }

    synchronized int attempts() {
        return attempts;
    }

    synchronized int connections() {
        return connections;
    }

    synchronized int cleanEnds() {
        return cleanEnds;
    }

    synchronized boolean connected() {
        return connected;
    }

    synchronized String raw() {
        return raw.toString(StandardCharsets.UTF_8);
    }

    synchronized void attempted() {
        attempts++;
        notifyAll();
    }

    synchronized void answered(HttpAnswer answer) {
        status = answer.status();
        Map<String, List<String>> copy = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        copy.putAll(answer.headers());
        headers = copy;
        raw.reset();
        notifyAll();
    }

    synchronized void opened() {
        connected = true;
        connections++;
        notifyAll();
    }

    /** Bytes of the current body, of which at most so many are kept. */
    synchronized void received(byte[] bytes, int length, int limit) {
        raw.write(bytes, 0, Math.max(0, Math.min(length, limit - raw.size())));
        notifyAll();
    }

    synchronized void endedCleanly() {
        cleanEnds++;
        ended("the server ended the stream");
    }

    synchronized void ended(String how) {
        lastEnd = how;
        connected = false;
        notifyAll();
    }

    @Override
    public synchronized void event(String id, String type, String data) {
        events.add(new Event(id, type, data));
        notifyAll();
    }

    @Override
    public synchronized void comment(String text) {
        comments.add(text);
        notifyAll();
    }

    @Override
    public synchronized void retry(long millis) {
        retry = OptionalLong.of(millis);
        notifyAll();
    }

    @Override
    public synchronized void lastEventId(String id) {
        lastEventId = id;
        notifyAll();
    }

    /** Waits for the next change, but at most so long; 0 stands for ever. */
    @SuppressWarnings("WaitNotInLoop") // The callers are the loops.
    synchronized void awaitChange(long millis) {
        try {
            wait(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted\n" + this, e);
        }
    }

    @Override
    public synchronized String toString() {
        int from = Math.max(0, events.size() - SHOWN_EVENTS);
        StringBuilder text = new StringBuilder();
        text.append("%d connections in %d attempts, ".formatted(connections, attempts));
        text.append("last end: %s%n".formatted(lastEnd));
        text.append("status %d, headers %s%n".formatted(status, headers));
        text.append("last event id \"%s\", comments %s%n".formatted(lastEventId, comments));
        text.append("%d events%s%n".formatted(events.size(), from > 0 ? ", the last:" : ":"));
        events.subList(from, events.size()).forEach(event -> text.append(event).append('\n'));
        return raw.size() == 0 ? text.toString() : text.append(raw()).toString();
    }
}
