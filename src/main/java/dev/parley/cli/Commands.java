package dev.parley.cli;

import dev.parley.access.AccessConfig;
import dev.parley.access.TokenSigner;
import dev.parley.cli.Command.CommandFailed;
import dev.parley.cli.Command.WrongUse;
import io.quarkus.runtime.configuration.ConfigUtils;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.smallrye.config.SmallRyeConfig;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * The command line: {@code java -jar quarkus-run.jar COMMAND [options]}. The server is not started.
 * The result goes to the standard output and everything else to the standard error.
 */
public final class Commands {

    /**
     * The exit status of a command that could not be carried out; the same call may succeed later.
     */
    private static final int FAILED = 1;

    /** The exit status of a call that is wrong. */
    private static final int WRONG_USE = 2;

    private final List<Command> commands;

    Commands(List<Command> commands) {
        this.commands = commands;
    }

    /** Returns the commands of the program, which read their settings where the server does. */
    public static Commands ofProgram() {
        return new Commands(
                List.of(
                        new TokenCommand(name -> signer(Commands::accessConfig, name)),
                        new RevokeCommand(name -> signer(Commands::accessConfig, name))));
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
        } catch (CommandFailed e) {
            err.println(name + ": " + e.getMessage());
            return FAILED;
        } catch (WrongUse | ConfigurationException e) {
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
                                "",
                                "Without arguments the server runs. The commands are:\n",
                                """
                                The exit status is 0 if the command has done it, 1 if it could not,
                                such as because the pod does not answer, and 2 if the call is wrong.
                                """));
    }

    /**
     * Takes the secret of an issuer from the settings.
     *
     * @param config reads the settings
     * @param issuer its name; the only one that has a secret if empty
     * @throws WrongUse if a setting has no valid value
     * @throws ConfigurationException if the settings do not allow it
     */
    static TokenSigner signer(Supplier<AccessConfig> config, Optional<String> issuer) {
        AccessConfig settings;
        try {
            settings = config.get();
        } catch (RuntimeException e) {
            // Not one type: each kind of wrong value has another one.
            throw new WrongUse(String.valueOf(e.getMessage()));
        }
        return TokenSigner.of(settings, issuer);
    }

    private static AccessConfig accessConfig() {
        SmallRyeConfig config = ConfigUtils.configBuilder().withMapping(AccessConfig.class).build();
        return config.getConfigMapping(AccessConfig.class);
    }
}
