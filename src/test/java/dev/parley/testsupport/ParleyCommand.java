package dev.parley.testsupport;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The command line and environment of a {@link ParleyProcess}. */
record ParleyCommand(
        Map<String, String> config,
        Map<String, String> environment,
        List<String> jvmOptions,
        Path jar) {

    /** The setting for the port. */
    static final String PORT = "quarkus.http.port";

    /** The setting for the port of health, metrics and the API description. */
    static final String MANAGEMENT_PORT = "quarkus.management.port";

    ParleyCommand {
        // Map.copyOf would lose the order in which the settings were added.
        config = new LinkedHashMap<>(config);
        environment = new LinkedHashMap<>(environment);
    }

    /** A command with another port. */
    ParleyCommand onPort(int port) {
        Map<String, String> moved = new LinkedHashMap<>(config);
        moved.put(PORT, Integer.toString(port));
        return new ParleyCommand(moved, environment, jvmOptions, jar);
    }

    /**
     * The process to start. It does not inherit environment variables that would configure Parley
     * or Quarkus.
     */
    ProcessBuilder toProcess() {
        var process = new ProcessBuilder(words());
        Map<String, String> variables = process.environment();
        variables
                .keySet()
                .removeIf(name -> name.startsWith("QUARKUS_") || name.startsWith("PARLEY_"));
        variables.putAll(environment);
        return process;
    }

    private List<String> words() {
        List<String> options =
                config.entrySet().stream()
                        .map(e -> "-D" + e.getKey() + "=" + e.getValue())
                        .toList();
        String executable = System.getProperty("parley.native", "");
        List<String> words = new ArrayList<>();
        if (executable.isBlank()) {
            words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            words.addAll(jvmOptions);
            words.addAll(argumentsOfEveryJvm());
            words.addAll(options);
            words.addAll(List.of("-jar", jar.toAbsolutePath().toString()));
        } else {
            words.add(Path.of(executable).toAbsolutePath().toString());
            words.addAll(options);
        }
        return words;
    }

    /** Whether JVMs run with an agent (JaCoCo) that writes its results when the JVM exits. */
    static boolean isMeasured() {
        return argumentsOfEveryJvm().stream()
                .anyMatch(argument -> argument.startsWith("-javaagent"));
    }

    private static List<String> argumentsOfEveryJvm() {
        String arguments = System.getProperty("parley.jvm-args", "");
        return arguments.isBlank() ? List.of() : List.of(arguments.strip().split("\\s+"));
    }
}
