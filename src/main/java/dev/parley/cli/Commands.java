package dev.parley.cli;

import dev.parley.access.AccessConfig;
import dev.parley.cli.Command.WrongUse;
import io.quarkus.runtime.configuration.ConfigUtils;
import io.smallrye.config.SmallRyeConfig;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The command line: {@code java -jar quarkus-run.jar COMMAND [options]}. The server is not started.
 * The result goes to the standard output and everything else to the standard error.
 */
public final class Commands {

    /** The exit status of a call that is wrong. */
    private static final int WRONG_USE = 2;

    private final List<Command> commands;

    Commands(List<Command> commands) {
        this.commands = commands;
    }

    /** Returns the commands of the program, which read their settings where the server does. */
    public static Commands ofProgram() {
        return new Commands(List.of(new TokenCommand(Commands::accessConfig)));
    }

    /**
     * Runs the command that the first argument names.
     *
     * @param arguments of the program, at least one
     * @return the exit status of the program
     */
    public int run(String... arguments) {
        // Not in the encoding of the terminal, since the result is for programs.
        var out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        return run(List.of(arguments), out, System.err);
    }

    int run(List<String> arguments, PrintStream out, PrintStream err) {
        String name = arguments.get(0);
        if (List.of("help", "--help", "-h").contains(name)) {
            out.print(usage());
            return 0;
        }
        Optional<Command> command =
                commands.stream().filter(one -> one.name().equals(name)).findFirst();
        if (command.isEmpty()) {
            err.println("There is no command " + name + ".");
            err.print(usage());
            return WRONG_USE;
        }
        try {
            List<String> options = arguments.subList(1, arguments.size());
            command.get()
                    .run(
                            new Arguments(options, command.get().flags(), command.get().options()),
                            out);
            return 0;
        } catch (WrongUse e) {
            err.println(name + ": " + e.getMessage());
            err.println("The options are explained by: help");
            return WRONG_USE;
        }
    }

    private String usage() {
        return commands.stream()
                .map(command -> command.usage().indent(2))
                .collect(
                        Collectors.joining(
                                "", "Without arguments the server runs. The commands are:\n", ""));
    }

    private static AccessConfig accessConfig() {
        SmallRyeConfig config = ConfigUtils.configBuilder().withMapping(AccessConfig.class).build();
        return config.getConfigMapping(AccessConfig.class);
    }
}
