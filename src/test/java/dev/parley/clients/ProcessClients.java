package dev.parley.clients;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.parley.testsupport.EventStreamParser;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;

/** Runs each client in a separate process and reads its events from its standard output. */
final class ProcessClients implements ClientHost {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path directory;
    private final Function<String, List<String>> command;
    private final Function<Consumer<ShownEvent>, Consumer<String>> format;
    private final Set<Process> running = ConcurrentHashMap.newKeySet();

    private ProcessClients(
            Path directory,
            Function<String, List<String>> command,
            Function<Consumer<ShownEvent>, Consumer<String>> format) {
        this.directory = directory;
        this.command = command;
        this.format = format;
        Runtime.getRuntime().addShutdownHook(new Thread(this::close, "end of client processes"));
    }

    /** Runs {@code drivers/NAME.js} on this Node; it prints each event as a line of JSON. */
    static ProcessClients node(Path directory, String node) {
        return new ProcessClients(
                directory, driver -> List.of(node, "run.js", driver), ProcessClients::fromJson);
    }

    /** Runs {@code drivers/NAME.sh}, which prints the blocks of the stream as they are. */
    static ProcessClients shell(Path directory) {
        return new ProcessClients(
                directory,
                driver -> List.of("bash", "drivers/" + driver + ".sh"),
                ProcessClients::fromStream);
    }

    @Override
    public Closeable start(String driver, String url, Consumer<ShownEvent> shown) {
        List<String> words = new ArrayList<>(command.apply(driver));
        words.add(url);
        try {
            Process process =
                    new ProcessBuilder(words)
                            .directory(directory.toFile())
                            .redirectError(ProcessBuilder.Redirect.INHERIT)
                            .start();
            running.add(process);
            Thread reader =
                    new Thread(() -> read(process, format.apply(shown)), "events of " + driver);
            reader.setDaemon(true);
            reader.start();
            return () -> end(process);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        running.forEach(this::end);
    }

    private void end(Process process) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        // Not Process.destroyForcibly(): it closes our end of the output under its reader.
        process.toHandle().destroyForcibly();
        running.remove(process);
    }

    private static void read(Process process, Consumer<String> line) {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            lines.lines().forEach(line);
        } catch (IOException | UncheckedIOException ended) {
            // The process was killed.
        }
    }

    private static Consumer<String> fromJson(Consumer<ShownEvent> shown) {
        return line -> {
            try {
                shown.accept(JSON.readValue(line, ShownEvent.class));
            } catch (JsonProcessingException e) {
                throw new IllegalStateException("not an event: " + line, e);
            }
        };
    }

    private static Consumer<String> fromStream(Consumer<ShownEvent> shown) {
        EventStreamParser.Sink sink =
                (id, type, data) -> shown.accept(new ShownEvent(type, id, data));
        var parser = new EventStreamParser("", sink);
        return line -> parser.feed((line + "\n").getBytes(StandardCharsets.UTF_8));
    }
}
