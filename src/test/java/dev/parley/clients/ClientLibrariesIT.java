package dev.parley.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.parley.testsupport.RedisServer;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The client libraries that people use lose nothing and repeat nothing, whatever happens to their
 * connection.
 *
 * <p>All libraries go through a scenario at the same time. The scenarios follow one another, except
 * that the one that takes 40 seconds runs beside the others.
 */
final class ClientLibrariesIT {

    private static final List<ClientLibrary> LIBRARIES = List.of(ClientLibrary.values());

    private static final Map<Scenario, Map<ClientLibrary, Optional<String>>> VERDICTS =
            new EnumMap<>(Scenario.class);

    @BeforeAll
    static void runAllScenarios() {
        Path files = ClientFiles.install();
        try (var redis = RedisServer.start();
                var node = ProcessClients.node(files, ClientFiles.node());
                var shell = ProcessClients.shell(files);
                var java = new JavaClients();
                var browser = new BrowserClients(files)) {
            Map<ClientLibrary.Host, ClientHost> hosts =
                    Map.of(
                            ClientLibrary.Host.NODE, node,
                            ClientLibrary.Host.SHELL, shell,
                            ClientLibrary.Host.JAVA, java,
                            ClientLibrary.Host.BROWSER, browser);
            var silence = CompletableFuture.supplyAsync(() -> run(Scenario.SILENCE, redis, hosts));
            for (Scenario scenario : Scenario.values()) {
                if (scenario != Scenario.SILENCE) {
                    VERDICTS.put(scenario, run(scenario, redis, hosts));
                }
            }
            VERDICTS.put(Scenario.SILENCE, silence.join());
        }
        System.out.println(ClientsDocument.table(VERDICTS));
    }

    private static Map<ClientLibrary, Optional<String>> run(
            Scenario scenario, RedisServer redis, Map<ClientLibrary.Host, ClientHost> hosts) {
        try (var run = new ScenarioRun(scenario, redis, LIBRARIES, hosts::get)) {
            scenario.apply(run);
            return run.verdicts();
        }
    }

    static Stream<Arguments> librariesInScenarios() {
        return Stream.of(Scenario.values())
                .flatMap(
                        scenario ->
                                LIBRARIES.stream().map(library -> Arguments.of(library, scenario)));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("librariesInScenarios")
    void library_showsEachMessageOnce(ClientLibrary library, Scenario scenario) {
        assertThat(VERDICTS.get(scenario).get(library)).as("what went wrong").isEmpty();
    }

    @Test
    void document_hasThisTableAndTheExamplesThatRan() {
        ClientsDocument.check(VERDICTS);
    }
}
