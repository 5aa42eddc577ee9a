package dev.parley.sse;

import static org.assertj.core.api.Assertions.assertThat;

import com.launchdarkly.eventsource.ConnectStrategy;
import com.launchdarkly.eventsource.EventSource;
import com.launchdarkly.eventsource.MessageEvent;
import com.launchdarkly.eventsource.StreamClosedByServerException;
import com.launchdarkly.eventsource.StreamException;
import com.launchdarkly.logging.LDLogger;
import dev.parley.testsupport.EventStreamParser;
import dev.parley.testsupport.SseReader.Event;
import jakarta.ws.rs.client.Client;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Parses event streams with two independent parsers, that of the tests and LaunchDarkly's, and
 * asserts that both read the same.
 */
final class TwoParsers {

    private TwoParsers() {}

    /** Returns the events of a stream that consists of these parts. */
    static List<Event> events(byte[]... parts) {
        var stream = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            stream.writeBytes(part);
        }
        return events(List.of(stream.toByteArray()));
    }

    /** Returns the events of a stream that arrives in these pieces. */
    static List<Event> events(List<byte[]> chunks) {
        List<Event> events = ours(chunks);
        assertThat(launchDarklys(chunks)).as("LaunchDarkly's parser").isEqualTo(events);
        return events;
    }

    private static List<Event> ours(List<byte[]> chunks) {
        List<Event> events = new ArrayList<>();
        EventStreamParser.Sink sink = (id, type, data) -> events.add(new Event(id, type, data));
        var parser = new EventStreamParser("", sink);
        chunks.forEach(parser::feed);
        return events;
    }

    private static List<Event> launchDarklys(List<byte[]> chunks) {
        List<Event> events = new ArrayList<>();
        try (EventSource source = new EventSource.Builder(new Replay(chunks)).build()) {
            while (true) {
                MessageEvent event = source.readMessage();
                String id = event.getLastEventId() == null ? "" : event.getLastEventId();
                events.add(new Event(id, event.getEventName(), event.getData()));
            }
        } catch (StreamClosedByServerException end) {
            return events;
        } catch (StreamException e) {
            throw new AssertionError(e);
        }
    }

    /** A server that sends these pieces and closes the connection. */
    private static final class Replay extends ConnectStrategy {

        private static final URI ORIGIN = URI.create("http://localhost/events");

        private final List<byte[]> chunks;

        Replay(List<byte[]> chunks) {
            this.chunks = chunks;
        }

        @Override
        public Client createClient(LDLogger logger) {
            return new Client() {
                @Override
                public Result connect(String lastEventId) {
                    return new Result(oneChunkPerRead(), ORIGIN, () -> {});
                }

                @Override
                public boolean awaitClosed(long millis) {
                    return true;
                }

                @Override
                public URI getOrigin() {
                    return ORIGIN;
                }

                @Override
                public void close() {}
            };
        }

        private InputStream oneChunkPerRead() {
            return new SequenceInputStream(
                    Collections.enumeration(
                            chunks.stream()
                                    .map(ByteArrayInputStream::new)
                                    .map(InputStream.class::cast)
                                    .toList()));
        }
    }
}
