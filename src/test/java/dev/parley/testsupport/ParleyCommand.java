package dev.parley.testsupport;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What starts a {@link ParleyProcess}: an executable or a jar, its settings and environment. */
record ParleyCommand(
        Map<String, String> config,
        Map<String, String> environment,
        List<String> jvmOptions,
        Path jar) {

    /** The setting that names the port. */
    static final String PORT = "quarkus.http.port";

    ParleyCommand {
        // Not Map.copyOf: the order is that in which they were set.
        config = new LinkedHashMap<>(config);
        environment = new LinkedHashMap<>(environment);
    }

    /** The same on another port. */
    ParleyCommand onPort(int port) {
        Map<String, String> moved = new LinkedHashMap<>(config);
        moved.put(PORT, Integer.toString(port));
        return new ParleyCommand(moved, environment, jvmOptions, jar);
    }

    /**
     * The process to be. Variables of this JVM's environment that would configure Parley or Quarkus
     * are not passed on.
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

    /** Whether JVMs have an agent that writes down, at their end, what they reached. */
    static boolean isMeasured() {
        return argumentsOfEveryJvm().stream()
                .anyMatch(argument -> argument.startsWith("-javaagent"));
    }

    private static List<String> argumentsOfEveryJvm() {
        String arguments = System.getProperty("parley.jvm-args", "");
        return arguments.isBlank() ? List.of() : List.of(arguments.strip().split("\\s+"));
    }
}
